/** What the three pipelines share: the cluster, the transform on it, and the build that trains and deploys. No DAG of its own. */
import { chain, type DagBuilder, type DagOptions, type Task } from '@daggerboard/dag'
import { createCluster, deleteCluster, runBuildTrigger, submitJob } from '@daggerboard/google'

export type Environment = 'staging' | 'production'

/** Environments are named for where a model serves; their code lies on these branches. */
const BRANCHES: Readonly<Record<Environment, string>> = { staging: 'staging', production: 'master' }

const PROJECT = '{{ var.value.PROJECT_ID }}'
const REGION = 'us-central1'

export const OPTIONS: DagOptions = {
  // Every Monday at 05:00, for the week that has just ended.
  schedule: '0 5 * * 1',
  startDate: '2019-09-30',
  catchup: false,
  maxActiveRuns: 1,
  tags: ['purchase-predict'],
  defaultArgs: { owner: 'purchase-predict', retries: 1, retryDelay: '10s', executionTimeout: '2h' },
}

/** Where the rows of one interval lie: each DAG and each interval has a folder of its own, so none overwrites another's. */
export const rowsFolder = (name: string): string => `gs://${PROJECT}-data/primary/${name}/{{ ds }}/data.csv/`

/** A short-lived cluster, the transform of `[ds, next_ds)` on it, and its end whatever came of it. Answers the transform. */
export function transform(task: DagBuilder['task'], name: string): Task {
  const clusterName = `purchase-predict-cluster-${name}-{{ ds_nodash }}`
  const create = task(
    'create_dataproc',
    createCluster({
      projectId: PROJECT,
      region: REGION,
      clusterName,
      idleDeleteTtl: 3600,
      clusterConfig: {
        masterConfig: {
          numInstances: 1,
          machineTypeUri: 'n1-standard-4',
          diskConfig: { bootDiskType: 'pd-standard', bootDiskSizeGb: 512 },
        },
        workerConfig: {
          numInstances: 2,
          machineTypeUri: 'n1-standard-4',
          diskConfig: { bootDiskType: 'pd-standard', bootDiskSizeGb: 512 },
        },
        softwareConfig: { imageVersion: '2.2-debian12' },
      },
    }),
  )
  const submit = task(
    'submit_job',
    submitJob({
      projectId: PROJECT,
      region: REGION,
      job: {
        placement: { clusterName },
        sparkSqlJob: {
          queryFileUri: `gs://${PROJECT}-data/scripts/create_events_data.sql`,
          scriptVariables: { events: `${PROJECT}.shop.events`, start: '{{ ds }}', end: '{{ next_ds }}', output: rowsFolder(name) },
        },
      },
    }),
  )
  const remove = task('delete_dataproc', deleteCluster({ projectId: PROJECT, region: REGION, clusterName }), { triggerRule: 'all_done' })
  chain(create, submit, remove)
  return submit
}

/** The build of the environment's branch on the rows in `folder`: tests, training, the gate, and the deployment of the API. */
export const trainingBuild = (task: DagBuilder['task'], id: string, environment: Environment, folder: string): Task =>
  task(
    id,
    runBuildTrigger({
      projectId: PROJECT,
      trigger: `build-purchase-predict-${environment}`,
      source: {
        branchName: BRANCHES[environment],
        substitutions: { _PRIMARY_FOLDER: folder, _MLFLOW_SERVER: '{{ var.value.MLFLOW_SERVER }}' },
      },
    }),
  )
