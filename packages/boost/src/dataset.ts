/** The table a model is trained on, column by column, and the check that it can be used. */

import { didYouMean, InvalidInput } from './invalid-input.ts'
import type { Objective } from './parameters.ts'

export interface Dataset {
  /** One per column; unique, without spaces or any of `"[]{}:,` (LightGBM's text format cannot hold those). */
  readonly featureNames: readonly string[]
  /** One per feature, all of the same length. NaN is a missing value. */
  readonly columns: readonly Float64Array[]
  /** What to predict: 0 or 1 for `binary`, any finite number for `regression`. */
  readonly label: Float64Array
  /** How much each row counts, 0 or more; 1 each when absent. */
  readonly weight?: Float64Array
  /** Names of the features whose values are codes of categories (whole numbers from 0; NaN or below 0 is missing) and not quantities. */
  readonly categorical?: readonly string[]
}

/** Throws one InvalidInput that names everything wrong with `dataset`. `name` is how the message calls it. */
export function checkDataset(dataset: Dataset, objective: Objective, name = 'data set'): void {
  const { featureNames, columns, label, weight, categorical = [] } = dataset
  const problems: string[] = []
  if (columns.length === 0) problems.push('There are no columns.')
  if (featureNames.length !== columns.length) problems.push(`There are ${columns.length} columns but ${featureNames.length} feature names.`)
  const seen = new Set<string>()
  for (const feature of featureNames) {
    if (feature === '' || /[\s"[\]{}:,]/.test(feature)) {
      problems.push(`The feature name ${JSON.stringify(feature)} is empty or holds a space or one of "[]{}:, — rename it.`)
    }
    if (seen.has(feature)) problems.push(`The feature name "${feature}" is used twice.`)
    seen.add(feature)
  }
  for (const feature of categorical) {
    if (!seen.has(feature)) problems.push(`The categorical feature "${feature}" is not a column.${didYouMean(feature, featureNames)}`)
  }
  if (label.length === 0) problems.push('There are no rows.')
  columns.forEach((column, index) => {
    const feature = `Column "${featureNames[index] ?? index}"`
    if (column.length !== label.length) problems.push(`${feature} has ${column.length} values but the label has ${label.length}.`)
    const row = column.findIndex((value) => value === Infinity || value === -Infinity)
    if (row >= 0) problems.push(`${feature} is infinite in row ${row}. Use NaN for a missing value.`)
    if (categorical.includes(featureNames[index] ?? '')) {
      const broken = column.findIndex((value) => value >= 0 && (!Number.isInteger(value) || value > MAX_CATEGORY))
      if (broken >= 0)
        problems.push(`${feature} is categorical but holds ${column[broken]} in row ${broken}, not a whole number up to ${MAX_CATEGORY}.`)
    }
  })
  const isLabel = objective === 'binary' ? (value: number) => value === 0 || value === 1 : Number.isFinite
  const badLabel = label.findIndex((value) => !isLabel(value))
  if (badLabel >= 0) {
    problems.push(
      `The label of row ${badLabel} is ${label[badLabel]}, but must be ${objective === 'binary' ? '0 or 1' : 'a finite number'}.`,
    )
  }
  if (weight !== undefined) {
    if (weight.length !== label.length) problems.push(`There are ${weight.length} weights but ${label.length} labels.`)
    const badWeight = weight.findIndex((value) => !(value >= 0 && value < Infinity))
    if (badWeight >= 0) problems.push(`The weight of row ${badWeight} is ${weight[badWeight]}, but must be a finite number from 0.`)
    else if (weight.length > 0 && weight.every((value) => value === 0)) problems.push('All weights are 0.')
  }
  if (problems.length > 0) throw new InvalidInput(`Cannot use this ${name}:`, problems)
}

/** The text format keeps a set of categories as bits, so a huge code would make a huge model. */
const MAX_CATEGORY = 1_000_000
