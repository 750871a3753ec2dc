/** Loads the model of this revision and all that belongs to it, and proves that it predicts here as it did in training. */
import { Booster } from '@daggerboard/boost'
import { MlflowClient } from '@daggerboard/mlflow'
import { Predictor } from './predictor.ts'
import { type Row, RowReader, type TransformPipeline } from './row-reader.ts'
import type { ServedModel } from './server.ts'
import type { Settings } from './settings.ts'

/** `serving_check.json`: a few rows of the test set with the probabilities that training saw. */
interface ServingCheck {
  readonly rows: readonly Row[]
  readonly probabilities: readonly number[]
}

const TOLERANCE = 1e-9

/** Throws when there is no such model, or when it predicts otherwise than in training. */
export async function loadServedModel({ trackingUri, registryName, stage, modelVersion }: Settings): Promise<ServedModel> {
  const client = new MlflowClient({ trackingUri })
  const { version, runId, files } = await client.downloadModel(`models:/${registryName}/${modelVersion ?? stage}`)
  const artifact = async <T>(path: string) => JSON.parse(Buffer.from(await client.downloadArtifact(runId, path)).toString('utf8')) as T
  const [transformPipeline, check] = await Promise.all([
    artifact<TransformPipeline>('transform_pipeline.json'),
    artifact<ServingCheck>('serving_check.json'),
  ])
  const text = files.get('model.lgb')
  if (!text) throw new Error(`Version ${version} of ${registryName} has no model.lgb. Register a model that purchase_predict has logged.`)
  const booster = Booster.parse(Buffer.from(text).toString('utf8'))
  const predictor = new Predictor(booster, new RowReader(transformPipeline))
  checkServing(predictor, check, `${registryName} version ${version}`)
  return { name: registryName, version, predictor }
}

/** Throws at the first row whose probability differs: a revision that would answer otherwise must never get traffic. */
export function checkServing(predictor: Predictor, { rows, probabilities }: ServingCheck, model: string): void {
  for (const [index, { probability }] of predictor.predict({ rows, label: (row) => `row ${row}: ` }).entries()) {
    const expected = probabilities[index] ?? Number.NaN
    if (!(Math.abs(probability - expected) <= TOLERANCE)) {
      throw new Error(
        `${model} must not be served: row ${index} of its serving_check.json gets ${probability} here and got ${expected} in training. Bring the API and purchase_predict to the same way of encoding.`,
      )
    }
  }
}
