/** What a hyper-parameter search may choose from. */

import { didYouMean } from './invalid-input.ts'

/** A real number between `low` and `high`, both included; with `log`, equally likely in each order of magnitude. */
export interface Uniform {
  readonly kind: 'uniform'
  readonly low: number
  readonly high: number
  readonly log: boolean
  /** Only `low`, `low + step`, … when given. */
  readonly step: number | undefined
}

/** One of `low`, `low + step`, … up to `high`. */
export interface Integer {
  readonly kind: 'integer'
  readonly low: number
  readonly high: number
  readonly step: number
}

/** One of `options`: the value itself, never its place in the list. */
export interface Choice<T = unknown> {
  readonly kind: 'choice'
  readonly options: readonly T[]
}

export type Dimension = Uniform | Integer | Choice

/** A dimension for each parameter, by name. */
export type Space = Readonly<Record<string, Dimension>>

/** The parameters that a space gives values to. */
export type Sampled<S extends Space> = { [K in keyof S]: S[K] extends Choice<infer T> ? T : number }

export function uniform(low: number, high: number, options: { log?: boolean; step?: number } = {}): Uniform {
  return { kind: 'uniform', low, high, log: options.log ?? false, step: options.step }
}

export function integer(low: number, high: number, options: { step?: number } = {}): Integer {
  return { kind: 'integer', low, high, step: options.step ?? 1 }
}

export function choice<const T>(options: readonly T[]): Choice<T> {
  return { kind: 'choice', options }
}

/** Everything wrong with `space`, one sentence each. */
export function spaceProblems(space: Space): string[] {
  const problems = Object.keys(space).length === 0 ? ['The space has no parameters.'] : []
  for (const [name, dimension] of Object.entries(space)) {
    if (dimension.kind === 'choice') {
      if (dimension.options.length === 0) problems.push(`"${name}" has no options to choose from.`)
      continue
    }
    const { low, high, step } = dimension
    if (!(Number.isFinite(low) && Number.isFinite(high) && low <= high))
      problems.push(`"${name}" goes from ${low} to ${high}, which is no range.`)
    if (step !== undefined && !(step > 0)) problems.push(`"${name}" has the step ${step}, but must have one above 0.`)
    if (dimension.kind === 'integer' && ![low, high, step].every(Number.isInteger)) {
      problems.push(`"${name}" is an integer, but its low ${low}, high ${high} and step ${step} are not all whole.`)
    }
    if (dimension.kind === 'uniform' && dimension.log) {
      if (low <= 0) problems.push(`"${name}" is logarithmic, so its low must be above 0, not ${low}.`)
      if (step !== undefined) problems.push(`"${name}" cannot have both log and step.`)
    }
  }
  return problems
}

/**
 * Why `parameters` cannot be a trial of `space`, one sentence each; empty when they can. Ask before giving `enqueue` the best
 * parameters of an earlier search whose space may have been another. Parameters that are left out are drawn.
 */
export function misfits(space: Space, parameters: Readonly<Record<string, unknown>>): string[] {
  const problems: string[] = []
  for (const [name, value] of Object.entries(parameters)) {
    const dimension = Object.hasOwn(space, name) ? space[name] : undefined
    if (dimension === undefined) problems.push(`There is no "${name}" in the space.${didYouMean(name, Object.keys(space))}`)
    else if (dimension.kind === 'choice') {
      if (optionIndex(dimension, value) < 0)
        problems.push(`"${name}" is ${JSON.stringify(value)}, which is not among ${JSON.stringify(dimension.options)}.`)
    } else if (!(typeof value === 'number' && value >= dimension.low && value <= dimension.high)) {
      problems.push(`"${name}" is ${JSON.stringify(value)}, which is not between ${dimension.low} and ${dimension.high}.`)
    } else if (dimension.kind === 'integer' && !Number.isInteger(value)) {
      problems.push(`"${name}" is ${value}, but must be a whole number.`)
    }
  }
  return problems
}

/** The place of `value` among the options, compared by content; −1 when it is none of them. */
export function optionIndex(dimension: Choice, value: unknown): number {
  const exact = dimension.options.indexOf(value)
  if (exact >= 0 || typeof value !== 'object') return exact
  const text = JSON.stringify(value)
  return dimension.options.findIndex((option) => JSON.stringify(option) === text)
}
