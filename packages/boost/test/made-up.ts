/** Small tables with something to learn in them. */

import { type Dataset, MersenneTwister } from '../src/index.ts'

/** Three normal features, of which `a` and the product of `b` and `c` decide the label, with some noise. */
export function madeUp(rows: number, seed = 1): Dataset {
  const random = new MersenneTwister(seed)
  const columns = ['a', 'b', 'c'].map(() => Float64Array.from({ length: rows }, () => random.normal()))
  const value = (feature: number, row: number) => columns[feature]?.[row] as number
  const label = Float64Array.from({ length: rows }, (_, row) =>
    value(0, row) + value(1, row) * value(2, row) + random.normal() / 2 > 0 ? 1 : 0,
  )
  return { featureNames: ['a', 'b', 'c'], columns, label }
}

/** One table of the rows `rows` of another. */
export function take(dataset: Dataset, rows: ArrayLike<number>): Dataset {
  const pick = (column: Float64Array) => Float64Array.from(rows, (row) => column[row] as number)
  return {
    featureNames: dataset.featureNames,
    columns: dataset.columns.map(pick),
    label: pick(dataset.label),
    ...(dataset.weight === undefined ? {} : { weight: pick(dataset.weight) }),
  }
}
