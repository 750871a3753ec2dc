/** Searches for the hyper-parameters that an objective likes best. */

import { InvalidInput } from './invalid-input.ts'
import { evenPoint, Parzen, type Point, parametersAt, pointOf } from './parzen.ts'
import { MersenneTwister } from './random.ts'
import { misfits, type Sampled, type Space, spaceProblems } from './search-space.ts'

/** One try. `value` is NaN when the objective could not say. */
export interface Trial<P> {
  /** Counts from 0. */
  readonly number: number
  readonly params: P
  readonly value: number
  /** How the parameters were found. */
  readonly origin: 'enqueued' | 'random' | 'tpe'
  readonly seconds: number
}

export interface SearchOptions<P> {
  /** How many trials, those of `enqueue` included. */
  readonly maxEvals: number
  readonly seed: number
  readonly direction: 'minimize' | 'maximize'
  /** `tpe` (default) learns from the trials so far; `random` does not. */
  readonly sampler?: 'tpe' | 'random'
  /** Tried first, in order: last week's best, say. What one leaves out is drawn. */
  readonly enqueue?: readonly Partial<P>[]
  /** Told of each trial as it ends. */
  readonly onTrial?: (trial: Trial<P>) => void | Promise<void>
  /** Ends the search between trials; `search` then rejects with the signal's reason. The objective gets it too. */
  readonly signal?: AbortSignal
}

/** What the objective is given beside the parameters. */
export interface TrialContext {
  readonly number: number
  readonly signal: AbortSignal | undefined
}

export interface SearchResult<P> {
  readonly best: Trial<P>
  readonly trials: readonly Trial<P>[]
}

/** Trials drawn evenly before the sampler begins to learn. */
const STARTUP_TRIALS = 10
/** The best tenth of the trials count as good, at most so many. */
const GOOD_SHARE = 0.1
const MOST_GOOD = 25
/** Points drawn near the good trials, of which the most promising is tried. */
const CANDIDATES = 24

/**
 * Tries `maxEvals` sets of parameters and answers with all of them and the best. The sampler is a tree-structured Parzen estimator
 * with Optuna's defaults: it prefers what is dense in good trials and rare in the others. The same seed and the same answers of the
 * objective give the same trials. An objective may answer NaN (not comparable: never the best, nothing learned); what it throws ends the search.
 *
 * @example
 * const { best } = await search({ rate: uniform(0.01, 1, { log: true }) }, async ({ rate }) => loss(rate), { maxEvals: 40, seed: 1, direction: 'minimize' })
 */
export async function search<const S extends Space>(
  space: S,
  objective: (params: Sampled<S>, context: TrialContext) => number | Promise<number>,
  options: SearchOptions<Sampled<S>>,
): Promise<SearchResult<Sampled<S>>> {
  checkSearch(space, options)
  const { maxEvals, direction, enqueue = [], sampler = 'tpe', signal } = options
  const random = new MersenneTwister(options.seed)
  const sign = direction === 'maximize' ? -1 : 1
  const trials: Trial<Sampled<S>>[] = []
  const seen: { point: Point; cost: number }[] = []
  for (let number = 0; number < maxEvals; number++) {
    signal?.throwIfAborted()
    const learns = sampler === 'tpe' && seen.length >= STARTUP_TRIALS
    const drawn = learns ? promisingPoint(space, seen, random) : evenPoint(space, random)
    const given = enqueue[number]
    const params = { ...parametersAt(space, drawn), ...definedOnly(given) } as Sampled<S>
    const started = performance.now()
    const value = await objective(params, { number, signal })
    const seconds = (performance.now() - started) / 1000
    const trial: Trial<Sampled<S>> = {
      number,
      params,
      value,
      origin: given !== undefined ? 'enqueued' : learns ? 'tpe' : 'random',
      seconds,
    }
    trials.push(trial)
    if (!Number.isNaN(value)) seen.push({ point: pointOf(space, params), cost: sign * value })
    await options.onTrial?.(trial)
  }
  const comparable = trials.filter((trial) => !Number.isNaN(trial.value))
  const best = comparable.reduce<Trial<Sampled<S>> | undefined>(
    (kept, trial) => (kept === undefined || sign * trial.value < sign * kept.value ? trial : kept),
    undefined,
  )
  if (best === undefined)
    throw new InvalidInput(`Cannot name the best of ${trials.length} trials: the objective answered NaN to all of them.`, [])
  return { best, trials }
}

function promisingPoint(space: Space, seen: readonly { point: Point; cost: number }[], random: MersenneTwister): Point {
  const goodCount = Math.min(Math.ceil(GOOD_SHARE * seen.length), MOST_GOOD)
  const ranked = seen.map((_, i) => i).sort((a, b) => (seen[a]?.cost ?? 0) - (seen[b]?.cost ?? 0) || a - b)
  const good = new Set(ranked.slice(0, goodCount))
  // Both in the order of the trials, for the newest count most.
  const near = new Parzen(
    space,
    seen.filter((_, i) => good.has(i)).map(({ point }) => point),
  )
  const rest = new Parzen(
    space,
    seen.filter((_, i) => !good.has(i)).map(({ point }) => point),
  )
  let best: Point | undefined
  let bestRatio = -Infinity
  for (let i = 0; i < CANDIDATES; i++) {
    const candidate = near.draw(random)
    const ratio = near.logDensity(candidate) - rest.logDensity(candidate)
    if (best === undefined || ratio > bestRatio) {
      best = candidate
      bestRatio = ratio
    }
  }
  return best as Point
}

function checkSearch<P>(space: Space, { maxEvals, seed, direction, enqueue = [] }: SearchOptions<P>): void {
  const problems = spaceProblems(space)
  if (!(Number.isInteger(maxEvals) && maxEvals >= 1)) problems.push(`maxEvals is ${maxEvals}, but must be a whole number from 1.`)
  if (!Number.isInteger(seed)) problems.push(`seed is ${seed}, but must be a whole number.`)
  if (direction !== 'minimize' && direction !== 'maximize')
    problems.push(`direction is ${JSON.stringify(direction)}, but must be "minimize" or "maximize".`)
  enqueue.forEach((params, i) => {
    for (const misfit of misfits(space, definedOnly(params))) problems.push(`enqueue[${i}]: ${misfit}`)
  })
  if (problems.length > 0) throw new InvalidInput('Cannot search:', problems)
}

function definedOnly(params: object | undefined): Record<string, unknown> {
  return Object.fromEntries(Object.entries(params ?? {}).filter(([, value]) => value !== undefined))
}
