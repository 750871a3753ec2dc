/** Gradient-boosted trees and random forests in the text format of LightGBM, and hyper-parameter search. */

export { Booster } from './booster.ts'
export type { Dataset } from './dataset.ts'
export { InvalidInput } from './invalid-input.ts'
export type { CalibrationBin, PrecisionRecallPoint } from './metrics.ts'
export * as metrics from './metrics.ts'
export type { Parameters } from './parameters.ts'
export { MersenneTwister } from './random.ts'
export { type SearchOptions, type SearchResult, search, type Trial, type TrialContext } from './search.ts'
export {
  type Choice,
  choice,
  type Dimension,
  type Integer,
  integer,
  misfits,
  type Sampled,
  type Space,
  type Uniform,
  uniform,
} from './search-space.ts'
export { groupedFolds, groupedSplit, type RowSplit, rowSplit } from './splits.ts'
export { type Progress, type TrainOptions, train } from './train.ts'
