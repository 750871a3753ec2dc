/** The search for hyper-parameters, by cross-validation within the training set. The test set is never seen here. */
import { choice, groupedFolds, integer, metrics, misfits, type Parameters, type Sampled, search, train, uniform } from '@daggerboard/boost'
import { PipelineError, type Table } from '@daggerboard/pipeline'
import { modelInput } from './model-input.ts'
import { sessionsOf } from './splitting.ts'

const PENALTIES = [0, 0.1, 1, 2, 5, 10]

/** What is searched. `subsample` takes effect because each tree draws anew (`subsample_freq` 1). */
const SPACE = {
  learning_rate: uniform(0.01, 0.3, { log: true }),
  num_iterations: integer(40, 200, { step: 20 }),
  max_depth: choice([6, 12]),
  num_leaves: integer(8, 128, { step: 10 }),
  colsample_bytree: uniform(0.3, 1),
  subsample: uniform(0.5, 1),
  min_child_samples: integer(5, 50, { step: 5 }),
  reg_alpha: choice(PENALTIES),
  reg_lambda: choice(PENALTIES),
}

/** A point of the space. */
export type Hyperparameters = Sampled<typeof SPACE>

/** The team's parameters, found by hand: always the first trial, so that the search never ends below them. */
export const FIXED: Hyperparameters = {
  learning_rate: 0.1,
  num_iterations: 100,
  max_depth: 12,
  num_leaves: 60,
  colsample_bytree: 1,
  subsample: 1,
  min_child_samples: 10,
  reg_alpha: 0,
  reg_lambda: 0,
}

export interface Trial {
  /** Counts from 0. */
  readonly number: number
  readonly hyperparameters: Hyperparameters
  /** Mean AUC over the folds. */
  readonly auc: number
}

export interface SearchOptions {
  readonly maxEvals: number
  readonly folds: number
  readonly seed: number
  /** Tried after the fixed ones: those of the model now in use. */
  readonly startFrom?: Hyperparameters | undefined
  readonly signal?: AbortSignal
  readonly onTrial?: (trial: Trial) => Promise<void> | void
}

/** The parameters with the best mean AUC over session-grouped folds of `trainingSet`. The same seed gives the same answer. */
export async function searchHyperparameters(trainingSet: Table, options: SearchOptions): Promise<Trial> {
  const { maxEvals, folds, seed, startFrom, signal, onTrial } = options
  if (!(Number.isInteger(maxEvals) && maxEvals > 0))
    throw new PipelineError(`automl_max_evals is ${maxEvals}; it must be a whole number from 1.`)
  const splits = groupedFolds(sessionsOf(trainingSet), { folds, seed }).map((fold) => ({
    training: trainingSet.take(fold.train),
    validation: trainingSet.take(fold.test),
  }))
  const { best } = await search(
    SPACE,
    async (hyperparameters) => {
      let sum = 0
      for (const { training, validation } of splits) sum += await aucOf(hyperparameters, training, validation, seed, signal)
      return sum / splits.length
    },
    {
      maxEvals,
      seed,
      direction: 'maximize',
      enqueue: startFrom ? [FIXED, startFrom] : [FIXED],
      onTrial: (trial) => onTrial?.(trialOf(trial)),
      ...(signal && { signal }),
    },
  )
  return trialOf(best)
}

const trialOf = ({ number, params, value }: { number: number; params: Hyperparameters; value: number }): Trial => ({
  number,
  hyperparameters: params,
  auc: value,
})

/** What a run logged as its parameters, as a point of the space; nothing when it is none, as after the space was changed. */
export function hyperparametersFrom(params: Readonly<Record<string, string>>): Hyperparameters | undefined {
  const found = Object.fromEntries(Object.keys(SPACE).map((name) => [name, Number(params[name])])) as Hyperparameters
  return misfits(SPACE, found).length === 0 ? found : undefined
}

/** Parameters of the trainer for a point of the space. */
export const trainingParameters = (hyperparameters: Hyperparameters, seed: number): Parameters => ({
  ...hyperparameters,
  objective: 'binary',
  subsample_freq: 1,
  seed,
})

async function aucOf(hyperparameters: Hyperparameters, training: Table, validation: Table, seed: number, signal?: AbortSignal) {
  const model = await train(modelInput(training), trainingParameters(hyperparameters, seed), signal && { signal })
  const { columns, label } = modelInput(validation)
  return metrics.auc(label, model.predict(columns))
}
