/** Trains gradient-boosted trees and random forests: histogram-based and leaf-wise, with LightGBM's semantics. */

import { BinTable } from './bin-table.ts'
import { type BinnedFeature, type Binning, binCategorical, binNumeric } from './bins.ts'
import { Booster } from './booster.ts'
import { checkDataset, type Dataset } from './dataset.ts'
import { Forest } from './forest.ts'
import { InvalidInput } from './invalid-input.ts'
import { LOSSES } from './loss.ts'
import { type Parameters, resolveParameters, type Settings } from './parameters.ts'
import { MersenneTwister } from './random.ts'
import { constantTree, scaledTree, type Tree } from './tree.ts'
import { type GrownTree, TreeGrower } from './tree-grower.ts'

/** What is told after each tree. `iteration` counts from 1; losses are weighted means (log loss or squared error). */
export interface Progress {
  readonly iteration: number
  readonly loss: number
  readonly validationLoss?: number
}

export interface TrainOptions {
  /** Stops the training; it then rejects with the signal's reason. */
  readonly signal?: AbortSignal
  /** Rows that are not trained on, with the same columns. */
  readonly validation?: Dataset
  /** Stop when the validation loss has not fallen for so many trees, and keep the trees up to the best. Needs `validation`. */
  readonly earlyStoppingRounds?: number
  readonly onIteration?: (progress: Progress) => void
}

/** Other work gets a turn about this often while a training runs. */
const TURN_MS = 20

/**
 * Trains a model. The same data, parameters and seed give the same model. Training ends before `num_iterations` when no leaf can be
 * split any more. Throws InvalidInput for parameters or data that cannot be used, naming every problem.
 */
export async function train(dataset: Dataset, parameters: Parameters = {}, options: TrainOptions = {}): Promise<Booster> {
  const settings = resolveParameters(parameters)
  checkDataset(dataset, settings.objective)
  checkOptions(options, dataset, settings)
  const turns = new Turns(options.signal)
  const table = new BinTable(dataset.label.length)
  for (const [index, column] of dataset.columns.entries()) {
    const isCategorical = dataset.categorical?.includes(dataset.featureNames[index] ?? '') ?? false
    const { feature, bins } = binningOf(column, isCategorical, settings)
    table.add(feature, bins)
    await turns.offer()
  }
  const boosting = new Boosting(dataset, table, settings, options.validation)
  let best = { loss: Infinity, iteration: 0 }
  for (let iteration = 1; iteration <= settings.num_iterations; iteration++) {
    if (!boosting.addTree(iteration)) break
    const validationLoss = boosting.validationLoss()
    options.onIteration?.({ iteration, loss: boosting.loss(), ...(validationLoss === undefined ? {} : { validationLoss }) })
    if (validationLoss !== undefined && options.earlyStoppingRounds !== undefined) {
      if (validationLoss < best.loss) best = { loss: validationLoss, iteration }
      else if (iteration - best.iteration >= options.earlyStoppingRounds) break
    }
    await turns.offer()
  }
  const trees = options.earlyStoppingRounds === undefined ? boosting.trees : boosting.trees.slice(0, Math.max(1, best.iteration))
  return new Booster({
    objective: settings.objective === 'binary' ? 'binary sigmoid:1' : 'regression',
    featureNames: [...dataset.featureNames],
    featureInfos: table.features.map(infoOf),
    trees,
    averageOutput: settings.boosting === 'rf',
    parameters: parameterLines(settings),
  })
}

function checkOptions(options: TrainOptions, dataset: Dataset, settings: Settings): void {
  const { validation, earlyStoppingRounds: rounds } = options
  const problems: string[] = []
  if (rounds !== undefined && validation === undefined)
    problems.push('earlyStoppingRounds needs a validation set. Give `validation`, or leave it out.')
  if (rounds !== undefined && !(Number.isInteger(rounds) && rounds > 0))
    problems.push(`earlyStoppingRounds is ${rounds}, but must be a whole number from 1.`)
  if (validation !== undefined) {
    checkDataset(validation, settings.objective, 'validation set')
    if (validation.featureNames.join('\n') !== dataset.featureNames.join('\n')) {
      problems.push('The validation set must have the same features as the data set, in the same order.')
    }
  }
  if (problems.length > 0) throw new InvalidInput('Cannot train with these options:', problems)
}

function binningOf(column: Float64Array, isCategorical: boolean, settings: Settings): Binning {
  if (isCategorical) return binCategorical(column, settings.max_bin, settings.min_data_in_bin)
  return binNumeric(column, settings.max_bin, settings.min_data_in_bin, new MersenneTwister(settings.seed))
}

/** The growing model: its trees so far, and the score of every row under them. */
class Boosting {
  readonly trees: Tree[] = []
  readonly #dataset: Dataset
  readonly #settings: Settings
  readonly #grower: TreeGrower
  readonly #random: MersenneTwister
  readonly #usable: Int32Array
  readonly #isForest: boolean
  readonly #start: number
  /** Of each row, the sum of its answers. */
  readonly #scores: Float64Array
  readonly #gradients: Float32Array
  readonly #hessians: Float32Array
  readonly #validation: { readonly dataset: Dataset; readonly scores: Float64Array } | undefined
  #sample: { readonly rows: Int32Array; readonly left: Int32Array }

  constructor(dataset: Dataset, table: BinTable, settings: Settings, validation: Dataset | undefined) {
    const rows = dataset.label.length
    this.#dataset = dataset
    this.#settings = settings
    this.#grower = new TreeGrower(table, settings)
    this.#random = new MersenneTwister(settings.seed)
    this.#usable = Int32Array.from(table.features.keys()).filter((f) => (table.features[f] as BinnedFeature).binCount > 1)
    this.#start = settings.boost_from_average ? LOSSES[settings.objective].startingScore(dataset.label, dataset.weight) : 0
    this.#isForest = settings.boosting === 'rf'
    const firstScore = this.#isForest ? 0 : this.#start
    this.#scores = new Float64Array(rows).fill(firstScore)
    this.#gradients = new Float32Array(rows)
    this.#hessians = new Float32Array(rows)
    this.#sample = { rows: Int32Array.from({ length: rows }, (_, row) => row), left: new Int32Array(0) }
    if (validation !== undefined) {
      this.#validation = { dataset: validation, scores: new Float64Array(validation.label.length).fill(firstScore) }
    }
    // The trees of a forest all start from the same constant, so its gradients never change.
    if (this.#isForest) this.#fillGradients(new Float64Array(rows).fill(this.#start))
  }

  /** False when nothing is left to split; a model without any tree then gets one that answers a constant. */
  addTree(iteration: number): boolean {
    const { bagging_fraction, bagging_freq, learning_rate } = this.#settings
    if (bagging_fraction < 1 && (iteration - 1) % bagging_freq === 0) this.#drawRows()
    if (!this.#isForest) this.#fillGradients(this.#scores)
    const grown = this.#grower.grow(this.#sample.rows, this.#gradients, this.#hessians, this.#drawFeatures())
    if (this.#isForest) {
      // A sample that cannot be split answers the constant; the next sample may do better.
      const isConstant = grown.tree.leaves === 1
      const tree = isConstant ? constantTree(this.#start, this.#dataset.label.length) : scaledTree(grown.tree, 1, this.#start)
      this.#addScores(grown, tree)
      this.trees.push(tree)
      return true
    }
    if (grown.tree.leaves === 1) {
      if (this.trees.length === 0) this.trees.push(constantTree(this.#start, this.#dataset.label.length))
      return false
    }
    const step = scaledTree(grown.tree, learning_rate, 0)
    this.#addScores(grown, step)
    // The format has no place for a starting score: the first tree carries it.
    this.trees.push(this.trees.length === 0 && this.#start !== 0 ? scaledTree(grown.tree, learning_rate, this.#start) : step)
    return true
  }

  loss(): number {
    return this.#meanLoss(this.#scores, this.#dataset)
  }

  validationLoss(): number | undefined {
    return this.#validation && this.#meanLoss(this.#validation.scores, this.#validation.dataset)
  }

  #meanLoss(sums: Float64Array, { label, weight }: Dataset): number {
    const scores = this.#isForest ? sums.map((sum) => sum / this.trees.length) : sums
    return LOSSES[this.#settings.objective].mean(scores, label, weight)
  }

  #fillGradients(scores: Float64Array): void {
    LOSSES[this.#settings.objective].fillGradients(scores, this.#dataset.label, this.#dataset.weight, this.#gradients, this.#hessians)
  }

  #drawRows(): void {
    const count = this.#dataset.label.length
    const wanted = Math.max(1, Math.floor(count * this.#settings.bagging_fraction))
    const rows = new Int32Array(wanted)
    const left = new Int32Array(count - wanted)
    let taken = 0
    for (let row = 0; row < count; row++) {
      if (this.#random.double() * (count - row) < wanted - taken) rows[taken++] = row
      else left[row - taken] = row
    }
    this.#sample = { rows, left }
  }

  #drawFeatures(): Int32Array {
    const usable = this.#usable
    if (this.#settings.feature_fraction >= 1) return usable
    const wanted = Math.max(1, Math.round(usable.length * this.#settings.feature_fraction))
    const order = this.#random.permutation(usable.length).subarray(0, wanted).sort()
    return order.map((position) => usable[position] as number)
  }

  #addScores({ rows, begins, ends }: GrownTree, step: Tree): void {
    const scores = this.#scores
    for (let leaf = 0; leaf < step.leaves; leaf++) {
      const value = step.leafValue[leaf] as number
      const end = ends[leaf] as number
      for (let i = begins[leaf] as number; i < end; i++) {
        const row = rows[i] as number
        scores[row] = (scores[row] as number) + value
      }
    }
    if (this.#sample.left.length === 0 && this.#validation === undefined) return
    const forest = new Forest([step], this.#dataset.columns.length)
    forest.addTo(scores, this.#dataset.columns, this.#sample.left)
    if (this.#validation !== undefined) forest.addTo(this.#validation.scores, this.#validation.dataset.columns)
  }
}

/** Gives the event loop a turn now and then, and ends the work when it is cancelled. */
class Turns {
  readonly #signal: AbortSignal | undefined
  #last = performance.now()

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal
    signal?.throwIfAborted()
  }

  async offer(): Promise<void> {
    if (performance.now() - this.#last < TURN_MS) return
    await new Promise((resume) => setImmediate(resume))
    this.#signal?.throwIfAborted()
    this.#last = performance.now()
  }
}

/** What the text format says of a feature: its range, its categories, or that it was of no use. */
function infoOf(feature: BinnedFeature): string {
  if (feature.binCount <= 1) return 'none'
  return feature.kind === 'numeric' ? `[${feature.min}:${feature.max}]` : feature.categories.join(':')
}

function parameterLines(settings: Settings): string[] {
  const lines = Object.entries(settings).map(([name, value]) => `[${name}: ${typeof value === 'boolean' ? Number(value) : value}]`)
  return lines
}
