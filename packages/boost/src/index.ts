/** Gradient-boosted trees in the text format of LightGBM, and hyper-parameter search. */

export { Booster } from './booster.ts'
export type { Dataset } from './dataset.ts'
export { InvalidInput } from './invalid-input.ts'
export type { Parameters } from './parameters.ts'
export { MersenneTwister } from './random.ts'
export { type Progress, type TrainOptions, train } from './train.ts'
