/** The weekly refresh of production, from the branch master. */
import { dag } from '@daggerboard/dag'
import { OPTIONS, rowsFolder, trainingBuild, transform } from './pipeline-ml/tasks.ts'

export default dag('pipeline_ml_production', { ...OPTIONS, description: 'Retrain on last week and deploy to production' }, ({ task }) => {
  transform(task, 'production').before(trainingBuild(task, 'trigger_ml_build', 'production', rowsFolder('production')))
})
