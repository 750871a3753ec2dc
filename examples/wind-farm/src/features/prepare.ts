/** File in, file out: turbine data to features. */

import { readModel } from '../model/model-file.ts'
import { UnusableData } from '../unusable-data.ts'
import { writeFeatures } from './features-file.ts'
import { fitPreparation, prepareFeatures, rowsInTime } from './preparation.ts'
import { readTurbineCsv, type TurbineTable } from './turbine-table.ts'

export interface TrainingFeaturesOptions {
  readonly dataPath: string
  readonly featuresPath: string
  /** Share of the rows, the latest, that judge the model and that nothing is learned from. */
  readonly testRatio?: number
  readonly signal?: AbortSignal
}

const DEFAULT_TEST_RATIO = 0.2

/** Features and labels of the rows that have a label. Means and medians are those of the training rows. Answers the path. */
export async function prepareTrainingFeatures(options: TrainingFeaturesOptions): Promise<string> {
  const { dataPath, featuresPath, testRatio = DEFAULT_TEST_RATIO, signal } = options
  if (!(testRatio > 0 && testRatio < 1)) throw new UnusableData(`testRatio is ${testRatio}.`, ['Give a share between 0 and 1.'])
  const table = await readTurbineCsv(dataPath, { target: true, ...(signal ? { signal } : {}) })
  const rows = rowsInTime(table, 'wanted')
  const trainingRows = firstOfItsTime(table, rows, Math.floor(rows.length * (1 - testRatio)))
  if (trainingRows === 0 || trainingRows === rows.length)
    throw new UnusableData(`${dataPath} has ${rows.length} rows with a pitch angle.`, [
      'That is too few, or of too few moments, to train on the earlier ones and to judge by the later ones.',
    ])
  const preparation = fitPreparation(table, rows.subarray(0, trainingRows))
  const features = prepareFeatures(table, rows, preparation, 'wanted')
  await writeFeatures(featuresPath, { features, preparation, trainingRows })
  return featuresPath
}

export interface PredictionFeaturesOptions {
  readonly dataPath: string
  readonly featuresPath: string
  /** The model that will predict: gaps are filled with what its training has learned. One row is enough. */
  readonly modelPath: string
  readonly signal?: AbortSignal
}

/** Features of every row. Answers the path. */
export async function preparePredictionFeatures(options: PredictionFeaturesOptions): Promise<string> {
  const { dataPath, featuresPath, modelPath, signal } = options
  const { preparation } = await readModel(modelPath)
  const table = await readTurbineCsv(dataPath, { target: false, ...(signal ? { signal } : {}) })
  if (table.rows === 0) throw new UnusableData(`${dataPath} has no rows.`, ['There is nothing to predict.'])
  const features = prepareFeatures(table, rowsInTime(table, 'absent'), preparation, 'absent')
  await writeFeatures(featuresPath, { features, preparation, trainingRows: 0 })
  return featuresPath
}

/** The first place from which on no row is of the moment of an earlier one, so that one moment is never on both sides. */
function firstOfItsTime(table: TurbineTable, rows: Int32Array, place: number): number {
  const timeAt = (index: number): number => table.time[rows[index] as number] as number
  let first = place
  while (first > 0 && timeAt(first) === timeAt(first - 1)) first--
  return first
}
