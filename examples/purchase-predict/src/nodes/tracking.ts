/** The record of a training run in MLflow: opened before the first trial, closed whatever happens. */
import { MlflowClient, type Run } from '@daggerboard/mlflow'

export interface MlflowParameters {
  /** Empty: MLFLOW_TRACKING_URI. */
  readonly tracking_uri: string
  readonly experiment: string
  readonly registered_model: string
}

export const mlflowClient = ({ tracking_uri }: Pick<MlflowParameters, 'tracking_uri'>): MlflowClient =>
  new MlflowClient(tracking_uri === '' ? {} : { trackingUri: tracking_uri })

export interface RecordOptions {
  readonly runName: string
  readonly tags: Readonly<Record<string, string>>
  readonly signal: AbortSignal
}

/** Does `work` within a new run, which ends as FINISHED, FAILED or, when `signal` has aborted, KILLED. */
export async function recorded<T>(
  client: MlflowClient,
  experiment: string,
  { runName, tags, signal }: RecordOptions,
  work: (run: Run) => Promise<T>,
): Promise<T> {
  const experimentId = await client.setExperiment(experiment)
  const run = await client.startRun({ experimentId, runName, tags })
  try {
    const result = await work(run)
    await run.end('FINISHED')
    return result
  } catch (error) {
    // The first failure is the one to report, even when the record cannot be closed either.
    await run.end(signal.aborted ? 'KILLED' : 'FAILED').catch(() => {})
    throw error
  }
}
