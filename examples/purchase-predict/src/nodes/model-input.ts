/** What the trees are given: the features of an encoded table as columns, and its label. */
import type { Table } from '@daggerboard/pipeline'
import { FEATURES, LABEL } from '../columns.ts'

export interface ModelInput {
  readonly featureNames: readonly string[]
  readonly columns: readonly Float64Array[]
  readonly label: Float64Array
}

export const modelInput = (encoded: Table): ModelInput => ({
  featureNames: FEATURES,
  columns: FEATURES.map((name) => encoded.numbers(name)),
  label: encoded.numbers(LABEL),
})
