/** The record of a training in MLflow, for those who keep one. */
import { lightgbmModel, MlflowClient } from '@daggerboard/mlflow'
import { readModel } from './model-file.ts'
import { FOREST } from './train.ts'

export interface TrackOptions {
  readonly modelPath: string
  readonly trackingUri: string
  readonly token?: string | undefined
  readonly runName: string
  readonly signal?: AbortSignal
}

const NAME = 'wind_farm'

/** Logs the parameters, the metrics and the model as a run of the experiment `wind_farm`, and registers a version of that name. Answers the version. */
export async function trackModel({ modelPath, trackingUri, token, runName, signal }: TrackOptions): Promise<string> {
  const { booster, preparation, metrics } = await readModel(modelPath)
  const client = new MlflowClient({ trackingUri, token, signal })
  const run = await client.startRun({ experimentId: await client.setExperiment(NAME), runName })
  try {
    await run.logParams({ ...FOREST })
    await run.logMetrics({ ...metrics })
    await run.logArtifact('preparation.json', JSON.stringify(preparation))
    const inputs = booster.featureNames.map((name) => ({ name, type: 'double' as const }))
    const signature = { inputs, outputs: [{ type: 'double' as const }] }
    await run.logModel('model', lightgbmModel({ text: booster.toText(), runId: run.id, signature }))
    const { version } = await client.registerModel({ name: NAME, runId: run.id, path: 'model' })
    await run.end('FINISHED')
    return version
  } catch (error) {
    // The first failure is the one to report, even when the record cannot be closed either.
    await run.end(signal?.aborted ? 'KILLED' : 'FAILED').catch(() => {})
    throw error
  }
}
