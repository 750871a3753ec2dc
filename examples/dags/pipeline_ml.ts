/** Both refreshes from one transform: the rows are made once, then staging and production train on them. Unpause this DAG or the other two. */
import { dag } from '@daggerboard/dag'
import { OPTIONS, rowsFolder, trainingBuild, transform } from './pipeline-ml/tasks.ts'

export default dag('pipeline_ml', { ...OPTIONS, description: 'Retrain staging and production on the same rows' }, ({ task }) => {
  transform(task, 'shared').before(
    trainingBuild(task, 'trigger_ml_build_staging', 'staging', rowsFolder('shared')),
    trainingBuild(task, 'trigger_ml_build_production', 'production', rowsFolder('shared')),
  )
})
