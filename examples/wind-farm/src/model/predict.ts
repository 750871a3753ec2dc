/** File in, file out: features to predictions. */
import { join } from 'node:path'
import { readFeatures } from '../features/features-file.ts'
import { isStamp, makeLatestByName, writeWhole } from '../files.ts'
import { UnusableData } from '../unusable-data.ts'
import { readModel } from './model-file.ts'

export interface PredictOptions {
  readonly featuresPath: string
  readonly modelPath: string
  readonly predictionsFolder: string
  /** When it is predicted: a time such as 20260112-093005. The same again replaces what was predicted then. */
  readonly stamp: string
}

export const LATEST_PREDICTIONS = 'latest.csv'
export const PREDICTIONS_HEADER = 'predictions,predictions_time'

/** Writes the pitch angle of each row, in degrees and in the order of time, to `{stamp}.csv`, and to `latest.csv` when there is none of a later time. Answers the path of the former. */
export async function predict({ featuresPath, modelPath, predictionsFolder, stamp }: PredictOptions): Promise<string> {
  if (!isStamp(stamp)) throw new UnusableData(`"${stamp}" is no name for predictions.`, ['Give a time such as 20260112-093005.'])
  const [{ features }, { booster }] = await Promise.all([readFeatures(featuresPath), readModel(modelPath)])
  if (features.names.join() !== booster.featureNames.join())
    throw new UnusableData(`${featuresPath} has other inputs than the model ${modelPath} was trained on.`, ['Prepare it for this model.'])
  const predictions = booster.predict(features.columns)
  const path = join(predictionsFolder, `${stamp}.csv`)
  await writeWhole(path, [`${PREDICTIONS_HEADER}\n${Array.from(predictions, (value) => `${value},${stamp}\n`).join('')}`])
  await makeLatestByName(path, join(predictionsFolder, LATEST_PREDICTIONS))
  return path
}
