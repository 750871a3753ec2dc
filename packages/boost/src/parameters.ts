/** The training parameters: LightGBM's names and defaults, scikit-learn's aliases, and what values they may take. */

import { didYouMean, InvalidInput } from './invalid-input.ts'

export type Objective = 'binary' | 'regression'

/** `gbdt`: each tree mends the answer of those before it. `rf`: a random forest, the mean of trees that know nothing of one another. */
type Boosting = 'gbdt' | 'rf'

/**
 * What `train` accepts: LightGBM's name or its alias, at most one of them. Defaults are LightGBM's.
 * One difference on purpose: `bagging_fraction` below 1 always takes effect. LightGBM ignores it silently while
 * `bagging_freq` is 0; here a `bagging_freq` of 0 then counts as 1 (a new sample of rows for every tree).
 */
export interface Parameters {
  /** `binary` (default; labels 0 and 1, log loss) or `regression` (squared error; also called `regression_l2`, `l2`, `mse`). */
  objective?: string
  /**
   * `gbdt` (default) or `rf` (also `random_forest`): trees over samples of the rows, whose mean is the answer. A forest needs a
   * `bagging_fraction` or a `feature_fraction` below 1, or its trees were all the same; `learning_rate` has no effect on it.
   */
  boosting?: string
  boosting_type?: string
  /** Trees to grow. Default 100. */
  num_iterations?: number
  n_estimators?: number
  /** How much of each tree's answer is added. Default 0.1. */
  learning_rate?: number
  /** Most leaves of a tree. Default 31. */
  num_leaves?: number
  /** Most splits between the root and a leaf; 0 or below: no limit (default −1). */
  max_depth?: number
  /** Fewest rows of a leaf. Default 20. */
  min_data_in_leaf?: number
  min_child_samples?: number
  /** Least sum of hessians of a leaf. Default 0.001. */
  min_sum_hessian_in_leaf?: number
  min_child_weight?: number
  /** Least gain of a split. Default 0. */
  min_gain_to_split?: number
  min_split_gain?: number
  /** L1 and L2 regularisation of leaf values. Default 0. */
  lambda_l1?: number
  reg_alpha?: number
  lambda_l2?: number
  reg_lambda?: number
  /** Share of the rows that a tree sees. Default 1. */
  bagging_fraction?: number
  subsample?: number
  /** A new sample of rows every so many trees. Default 0, which counts as 1 when rows are sampled. */
  bagging_freq?: number
  subsample_freq?: number
  /** Share of the features that a tree sees. Default 1. */
  feature_fraction?: number
  colsample_bytree?: number
  /** Most bins of a feature, missing values included: 2 … 255 (default). */
  max_bin?: number
  /** Fewest rows of a bin. Default 3. */
  min_data_in_bin?: number
  /** Start from the mean of the label. Default true. */
  boost_from_average?: boolean
  /** Of row and feature sampling. Default 0. */
  seed?: number
  random_state?: number
  /** How a categorical feature is split; LightGBM's meanings and defaults (4, 32, 10, 10, 100). */
  max_cat_to_onehot?: number
  max_cat_threshold?: number
  cat_l2?: number
  cat_smooth?: number
  min_data_per_group?: number
  /** Known but without effect: training is silent and single-threaded. */
  verbosity?: number
  verbose?: number
  num_threads?: number
  n_jobs?: number
}

/** Parameters as the trainer uses them: every one set, under LightGBM's name. */
export interface Settings {
  readonly boosting: Boosting
  readonly objective: Objective
  readonly num_iterations: number
  readonly learning_rate: number
  readonly num_leaves: number
  readonly max_depth: number
  readonly min_data_in_leaf: number
  readonly min_sum_hessian_in_leaf: number
  readonly min_gain_to_split: number
  readonly lambda_l1: number
  readonly lambda_l2: number
  readonly bagging_fraction: number
  readonly bagging_freq: number
  readonly feature_fraction: number
  readonly max_bin: number
  readonly min_data_in_bin: number
  readonly boost_from_average: boolean
  readonly seed: number
  readonly max_cat_to_onehot: number
  readonly max_cat_threshold: number
  readonly cat_l2: number
  readonly cat_smooth: number
  readonly min_data_per_group: number
}

interface NumberRule {
  readonly name: Exclude<keyof Settings, 'objective' | 'boosting' | 'boost_from_average'> | 'verbosity' | 'num_threads'
  readonly alias?: string
  readonly fallback: number
  readonly low: number
  readonly high: number
  readonly whole?: true
  /** `low` itself is not allowed. */
  readonly above?: true
}

const NUMBERS: readonly NumberRule[] = [
  { name: 'num_iterations', alias: 'n_estimators', fallback: 100, low: 1, high: 1e6, whole: true },
  { name: 'learning_rate', fallback: 0.1, low: 0, high: Infinity, above: true },
  { name: 'num_leaves', fallback: 31, low: 2, high: 131072, whole: true },
  { name: 'max_depth', fallback: -1, low: -Infinity, high: Infinity, whole: true },
  { name: 'min_data_in_leaf', alias: 'min_child_samples', fallback: 20, low: 0, high: Infinity, whole: true },
  { name: 'min_sum_hessian_in_leaf', alias: 'min_child_weight', fallback: 1e-3, low: 0, high: Infinity },
  { name: 'min_gain_to_split', alias: 'min_split_gain', fallback: 0, low: 0, high: Infinity },
  { name: 'lambda_l1', alias: 'reg_alpha', fallback: 0, low: 0, high: Infinity },
  { name: 'lambda_l2', alias: 'reg_lambda', fallback: 0, low: 0, high: Infinity },
  { name: 'bagging_fraction', alias: 'subsample', fallback: 1, low: 0, high: 1, above: true },
  { name: 'bagging_freq', alias: 'subsample_freq', fallback: 0, low: 0, high: Infinity, whole: true },
  { name: 'feature_fraction', alias: 'colsample_bytree', fallback: 1, low: 0, high: 1, above: true },
  { name: 'max_bin', fallback: 255, low: 2, high: 255, whole: true },
  { name: 'min_data_in_bin', fallback: 3, low: 1, high: Infinity, whole: true },
  { name: 'seed', alias: 'random_state', fallback: 0, low: 0, high: 0xffffffff, whole: true },
  { name: 'max_cat_to_onehot', fallback: 4, low: 1, high: Infinity, whole: true },
  { name: 'max_cat_threshold', fallback: 32, low: 1, high: Infinity, whole: true },
  { name: 'cat_l2', fallback: 10, low: 0, high: Infinity },
  { name: 'cat_smooth', fallback: 10, low: 0, high: Infinity },
  { name: 'min_data_per_group', fallback: 100, low: 1, high: Infinity, whole: true },
  { name: 'verbosity', alias: 'verbose', fallback: -1, low: -Infinity, high: Infinity, whole: true },
  { name: 'num_threads', alias: 'n_jobs', fallback: 0, low: -Infinity, high: Infinity, whole: true },
]

const OBJECTIVES = new Map<string, Objective>([
  ['binary', 'binary'],
  ['regression', 'regression'],
  ['regression_l2', 'regression'],
  ['l2', 'regression'],
  ['mse', 'regression'],
])

const BOOSTINGS = new Map<string, Boosting>([
  ['gbdt', 'gbdt'],
  ['rf', 'rf'],
  ['random_forest', 'rf'],
])

/** Every name that `resolveParameters` knows. */
const KNOWN: readonly string[] = [
  ...NUMBERS.flatMap((rule) => (rule.alias === undefined ? [rule.name] : [rule.name, rule.alias])),
  'objective',
  'boosting',
  'boosting_type',
  'boost_from_average',
]

/** Fills in the defaults. Throws one InvalidInput that names every unknown parameter and every value out of range. */
export function resolveParameters(parameters: Parameters): Settings {
  const given = parameters as Readonly<Record<string, unknown>>
  const problems: string[] = []
  for (const name of Object.keys(given)) {
    if (!KNOWN.includes(name)) problems.push(`There is no parameter "${name}".${didYouMean(name, KNOWN)}`)
  }
  const settings: Record<string, unknown> = {}
  settings.boosting = boostingOf(given, problems)
  for (const rule of NUMBERS) settings[rule.name] = numberOf(rule, given, problems)

  const objective = given.objective ?? 'binary'
  settings.objective = OBJECTIVES.get(String(objective))
  if (settings.objective === undefined) {
    problems.push(
      `objective is ${quote(objective)}, but must be "binary" or "regression".${didYouMean(String(objective), OBJECTIVES.keys())}`,
    )
  }
  settings.boost_from_average = given.boost_from_average ?? true
  if (typeof settings.boost_from_average !== 'boolean') {
    problems.push(`boost_from_average is ${quote(given.boost_from_average)}, but must be true or false.`)
  }
  if (settings.boosting === 'rf' && settings.bagging_fraction === 1 && settings.feature_fraction === 1) {
    problems.push('A random forest whose trees all see the same is one tree. Set bagging_fraction or feature_fraction below 1.')
  }
  if (problems.length > 0) throw new InvalidInput('Cannot train with these parameters:', problems)
  if ((settings.bagging_fraction as number) < 1 && settings.bagging_freq === 0) settings.bagging_freq = 1
  return settings as unknown as Settings
}

function boostingOf({ boosting, boosting_type }: Readonly<Record<string, unknown>>, problems: string[]): Boosting | undefined {
  if (boosting !== undefined && boosting_type !== undefined && boosting !== boosting_type) {
    problems.push(`boosting is ${quote(boosting)} and its alias boosting_type is ${quote(boosting_type)}. Give one of them.`)
  }
  const name = boosting ?? boosting_type ?? 'gbdt'
  const found = BOOSTINGS.get(String(name))
  if (found === undefined)
    problems.push(`boosting is ${quote(name)}, but must be "gbdt" or "rf".${didYouMean(String(name), BOOSTINGS.keys())}`)
  return found
}

function numberOf(rule: NumberRule, given: Readonly<Record<string, unknown>>, problems: string[]): number {
  const own = given[rule.name]
  const alias = rule.alias === undefined ? undefined : given[rule.alias]
  if (own !== undefined && alias !== undefined && own !== alias) {
    problems.push(`${rule.name} is ${quote(own)} and its alias ${rule.alias} is ${quote(alias)}. Give one of them.`)
  }
  const value = own ?? alias ?? rule.fallback
  const inRange =
    typeof value === 'number' &&
    (rule.above ? value > rule.low : value >= rule.low) &&
    value <= rule.high &&
    (rule.whole ? Number.isInteger(value) : Number.isFinite(value))
  if (!inRange) problems.push(`${own === undefined ? rule.alias : rule.name} is ${quote(value)}, but must be ${rangeOf(rule)}.`)
  return value as number
}

function rangeOf({ low, high, whole, above }: NumberRule): string {
  const kind = whole ? 'a whole number' : 'a number'
  const bounds = [
    low === -Infinity ? '' : above ? `above ${low}` : `from ${low}`,
    high === Infinity ? '' : above ? `up to ${high}` : `to ${high}`,
  ].filter((part) => part !== '')
  return [kind, ...bounds].join(' ')
}

const quote = (value: unknown): string => JSON.stringify(value) ?? String(value)
