/** Predictions for the rows of a request. */
import type { Booster } from '@daggerboard/boost'
import type { RequestBody } from './request-body.ts'
import type { RowReader } from './row-reader.ts'

export interface Prediction {
  readonly prediction: 0 | 1
  /** That the cart becomes a purchase. */
  readonly probability: number
}

/** Thrown for rows that the model cannot take, with every problem of every row. */
export class InvalidRows extends Error {
  override readonly name = 'InvalidRows'
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super('The rows cannot be used.')
    this.problems = problems
  }
}

const MOST_PROBLEMS = 100

export class Predictor {
  readonly #booster: Booster
  readonly #reader: RowReader
  readonly #values: Float64Array

  constructor(booster: Booster, reader: RowReader) {
    this.#booster = booster
    this.#reader = reader
    this.#values = new Float64Array(reader.width)
  }

  /** One for each row, in their order. */
  predict({ rows, label }: Pick<RequestBody, 'rows' | 'label'>): Prediction[] {
    const problems: string[] = []
    let left = 0
    const predictions: Prediction[] = []
    for (const [index, row] of rows.entries()) {
      this.#reader.read(row, this.#values, (problem) => {
        if (problems.length < MOST_PROBLEMS) problems.push(`${label(index)}${problem}`)
        else left++
      })
      if (problems.length > 0) continue
      const probability = this.#booster.predictRow(this.#values)
      predictions.push({ prediction: probability > 0.5 ? 1 : 0, probability })
    }
    if (left > 0) problems.push(`and ${left} more`)
    if (problems.length > 0) throw new InvalidRows(problems)
    return predictions
  }
}
