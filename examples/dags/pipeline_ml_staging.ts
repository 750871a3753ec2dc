/** The weekly refresh of staging: the week's events become rows, and a build trains on them and deploys. */
import { dag } from '@daggerboard/dag'
import { OPTIONS, rowsFolder, trainingBuild, transform } from './pipeline-ml/tasks.ts'

export default dag('pipeline_ml_staging', { ...OPTIONS, description: 'Retrain on last week and deploy to staging' }, ({ task }) => {
  transform(task, 'staging').before(trainingBuild(task, 'trigger_ml_build', 'staging', rowsFolder('staging')))
})
