/** The transform pipeline: categories become codes, features come into the model's order. */
import type { Table } from '@daggerboard/pipeline'
import { CATEGORIES, FEATURES, GROUP, LABEL } from '../columns.ts'

/** What stands for a missing category, and for one that training has never seen. */
export const UNKNOWN = 'unknown'

export interface Encoder {
  readonly column: string
  /** Sorted; a category's code is its place. Always holds `unknown`. */
  readonly classes: readonly string[]
}

/** All that the API needs to make a model's input out of a row. Logged as `transform_pipeline.json`. */
export interface TransformPipeline {
  readonly features: readonly string[]
  readonly unknown: string
  readonly encoders: readonly Encoder[]
}

/** Sees training rows only, so nothing of the test set is known to the model, not even which brands exist. */
export function fitEncoders(trainingRows: Table): TransformPipeline {
  const encoders = CATEGORIES.map((column) => {
    const classes = new Set(trainingRows.texts(column).map((category) => category ?? UNKNOWN))
    return { column, classes: [...classes.add(UNKNOWN)].sort() }
  })
  return { features: FEATURES, unknown: UNKNOWN, encoders }
}

/**
 * The features in order, all of them numbers, and behind them the session and, where it is there, the label.
 * A category that training has not seen gets the code of `unknown`: the model has learnt what to think of those.
 */
export function encodeFeatures(rows: Table, { features, encoders, unknown }: TransformPipeline): Table {
  let encoded = rows
  for (const { column, classes } of encoders) {
    const codes = new Map(classes.map((category, code) => [category, code]))
    const unknownCode = codes.get(unknown) ?? -1
    encoded = encoded.with(
      column,
      Float64Array.from(rows.texts(column), (category) => codes.get(category ?? unknown) ?? unknownCode),
    )
  }
  return encoded.select([...features, ...[GROUP, LABEL].filter((name) => rows.has(name))])
}
