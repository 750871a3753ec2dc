/** A trained model: predicts, tells what it learned from, and is kept as LightGBM's text. */

import { Forest } from './forest.ts'
import { InvalidInput } from './invalid-input.ts'
import { linkOf } from './link.ts'
import { parseModel } from './model-parser.ts'
import { type Model, modelText } from './model-text.ts'

/** Gradient-boosted trees. Immutable. */
export class Booster {
  readonly featureNames: readonly string[]
  readonly #model: Model
  readonly #forest: Forest
  readonly #link: (score: number) => number
  /** The sum of the trees is divided by this: 1, or their number for a random forest. */
  readonly #divisor: number

  constructor(model: Model) {
    this.featureNames = model.featureNames
    this.#model = model
    this.#forest = new Forest(model.trees, model.featureNames.length)
    this.#divisor = model.averageOutput ? Math.max(1, model.trees.length) : 1
    const link = linkOf(model.objective)
    if (link === undefined) throw new InvalidInput(`Cannot predict with a model of objective "${model.objective}".`, [])
    this.#link = link
  }

  /**
   * Reads a model in LightGBM's text format (v3, v4), ours or LightGBM's own, categorical splits included.
   * Throws InvalidInput with the line number where the text is broken, or holds what this library has not: several classes, linear trees.
   */
  static parse(text: string): Booster {
    return new Booster(parseModel(text))
  }

  /** The model in LightGBM's text format v4. `Booster.parse` of it predicts exactly the same. */
  toText(): string {
    return modelText(this.#model)
  }

  /** How many trees there are. */
  get treeCount(): number {
    return this.#model.trees.length
  }

  /** The answer for one row, its values in the order of `featureNames` and NaN where missing: the probability of 1 for `binary`. */
  predictRow(values: ArrayLike<number>): number {
    if (values.length !== this.featureNames.length) {
      throw new InvalidInput(
        `Cannot predict: the row has ${values.length} values but the model has ${this.featureNames.length} features.`,
        [],
      )
    }
    return this.#link(this.#forest.sum(values) / this.#divisor)
  }

  /** The answers for a whole table, one column per feature in the order of `featureNames`. The same as `predictRow` of each row. */
  predict(columns: readonly Float64Array[]): Float64Array {
    if (columns.length !== this.featureNames.length) {
      throw new InvalidInput(
        `Cannot predict: there are ${columns.length} columns but the model has ${this.featureNames.length} features.`,
        [],
      )
    }
    const rows = columns[0]?.length ?? 0
    const odd = columns.findIndex((column) => column.length !== rows)
    if (odd >= 0) {
      const names = `"${this.featureNames[odd]}" has ${columns[odd]?.length} values but "${this.featureNames[0]}" has ${rows}`
      throw new InvalidInput(`Cannot predict: column ${names}.`, [])
    }
    const scores = new Float64Array(rows)
    this.#forest.addTo(scores, columns)
    for (let row = 0; row < rows; row++) scores[row] = this.#link((scores[row] as number) / this.#divisor)
    return scores
  }

  /** Per feature, how many splits use it (`split`) or how much loss they took away together (`gain`). */
  featureImportance(type: 'split' | 'gain' = 'split'): Float64Array {
    const importance = new Float64Array(this.featureNames.length)
    for (const tree of this.#model.trees) {
      tree.splitFeature.forEach((feature, node) => {
        const gain = tree.splitGain[node] as number
        if (gain > 0) importance[feature] = (importance[feature] as number) + (type === 'split' ? 1 : gain)
      })
    }
    return importance
  }
}
