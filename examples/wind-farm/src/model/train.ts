/** File in, file out: features to a model in the folder of models. */
import { metrics as measures, type Parameters, train } from '@daggerboard/boost'
import { type FeaturesFile, readFeatures } from '../features/features-file.ts'
import { UnusableData } from '../unusable-data.ts'
import { type Metrics, type Model, writeModel } from './model-file.ts'

export interface TrainModelOptions {
  readonly featuresPath: string
  readonly modelsFolder: string
  /** The model's name: a time such as 20260112-093005. */
  readonly stamp: string
  readonly parameters?: Parameters
  readonly signal?: AbortSignal
  readonly log?: (line: string) => void
}

/** A random forest: trees of at most ten levels, each over a part of the rows and of the inputs. */
export const FOREST: Parameters = {
  boosting: 'rf',
  objective: 'regression',
  n_estimators: 30,
  max_depth: 10,
  num_leaves: 255,
  min_child_samples: 5,
  subsample: 0.632,
  colsample_bytree: 0.5,
  seed: 1,
}

/** At most this share of the mean's error. */
const MUST_BE_OF_BASELINE = 0.99

/**
 * Trains on the earlier rows, judges by the later ones and keeps the model as the latest. Throws UnusableData, and leaves the latest model in
 * place, when it is no better than always answering the mean. Answers the path of the model.
 */
export async function trainModel(options: TrainModelOptions): Promise<string> {
  const { featuresPath, modelsFolder, stamp, parameters = FOREST, signal, log = () => {} } = options
  const model = await fitModel(await readFeatures(featuresPath), parameters, signal)
  const { rmse, baselineRmse, trainingRows, testRows } = model.metrics
  log(
    `Trained on ${trainingRows} rows: the error on the ${testRows} after them is ${rmse.toFixed(3)}°, that of the mean ${baselineRmse.toFixed(3)}°.`,
  )
  if (!(rmse <= baselineRmse * MUST_BE_OF_BASELINE))
    throw new UnusableData(
      `The model is off by ${rmse.toFixed(3)}° and always answering the mean by ${baselineRmse.toFixed(3)}°, so it is not kept.`,
      ['Look at the data, or train on more of it.'],
    )
  return writeModel(modelsFolder, stamp, model)
}

/** The forest of the training rows of `file` and its error on the rows after them. */
export async function fitModel(file: FeaturesFile, parameters: Parameters, signal?: AbortSignal): Promise<Model> {
  const { features, preparation, trainingRows } = file
  const { names, columns, label } = features
  if (label === null) throw new UnusableData('These features have no pitch angle to learn from.', ['Prepare them for training.'])
  const rowsFrom = (begin: number, end?: number) => columns.map((column) => column.subarray(begin, end))
  const dataset = { featureNames: names, columns: rowsFrom(0, trainingRows), label: label.subarray(0, trainingRows) }
  const booster = await train(dataset, parameters, signal ? { signal } : {})
  const truth = label.subarray(trainingRows)
  const mean = dataset.label.reduce((sum, value) => sum + value, 0) / trainingRows
  const metrics: Metrics = {
    rmse: measures.rmse(truth, booster.predict(rowsFrom(trainingRows))),
    baselineRmse: measures.rmse(truth, new Float64Array(truth.length).fill(mean)),
    trainingRows,
    testRows: truth.length,
  }
  return { booster, preparation, metrics }
}
