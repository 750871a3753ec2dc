/** What the signs of arithmetic, and those that compare, mean in templates. */
import { AppError } from '../core/app-error.ts'
import { DateInterval } from './date-interval.ts'
import { RelativeDelta } from './relative-delta.ts'
import { TemplateDate } from './template-date.ts'
import { printed } from './template-values.ts'
import { TimeDelta } from './time-delta.ts'

/**
 * `a + b`, `a - b` and `a * b` as Python has them for instants, lengths of time and lists; for everything else as JavaScript has them. Throw `invalid`
 * for nothing, and for an instant or a length with what does not go with it.
 */
export function plus(a: unknown, b: unknown): unknown {
  if (a instanceof TemplateDate && b instanceof TimeDelta) return a.plus(b)
  if (a instanceof TimeDelta && b instanceof TemplateDate) return b.plus(a)
  if (a instanceof TimeDelta && b instanceof TimeDelta) return new TimeDelta(a.milliseconds + b.milliseconds)
  if (a instanceof TemplateDate && b instanceof RelativeDelta) return b.addedTo(a)
  if (a instanceof RelativeDelta && b instanceof TemplateDate) return a.addedTo(b)
  if (Array.isArray(a) && Array.isArray(b)) return [...a, ...b]
  refuseNothing('+', a, b)
  if (typeof a === 'string' || typeof b === 'string') return beside(a, b)
  refuseTimes('+', a, b)
  return (a as number) + (b as number)
}

export function minus(a: unknown, b: unknown): unknown {
  if (a instanceof TemplateDate && b instanceof TemplateDate) return new DateInterval(b, a)
  if (b instanceof TimeDelta && (a instanceof TemplateDate || a instanceof TimeDelta)) return plus(a, new TimeDelta(-b.milliseconds))
  if (a instanceof TemplateDate && b instanceof RelativeDelta) return b.negated().addedTo(a)
  refuseTimes('-', a, b)
  refuseNothing('-', a, b)
  return (a as number) - (b as number)
}

export function times(a: unknown, b: unknown): unknown {
  if (a instanceof TimeDelta && typeof b === 'number') return new TimeDelta(Math.round(a.milliseconds * b * 1000) / 1000)
  if (b instanceof TimeDelta && typeof a === 'number') return times(b, a)
  if (typeof a === 'string' && typeof b === 'number') return a.repeat(Math.max(0, b))
  refuseNothing('*', a, b)
  return (a as number) * (b as number)
}

export function dividedBy(a: unknown, b: unknown): unknown {
  if (a instanceof TimeDelta && typeof b === 'number') return new TimeDelta(Math.round((a.milliseconds / b) * 1000) / 1000)
  if (a instanceof TimeDelta && b instanceof TimeDelta) return a.milliseconds / b.milliseconds
  refuseZero(b)
  refuseNothing('/', a, b)
  return (a as number) / (b as number)
}

/** The rest has the sign of `b`, as in Python. Throws `invalid` for what is no number: `"%s" % name` is none of it. */
export function modulo(a: unknown, b: unknown): number {
  if (typeof a === 'string') throw new AppError('invalid', `"%" does not fill in texts. Write ${JSON.stringify(a)} | format(…).`)
  if (typeof a !== 'number' || typeof b !== 'number') throw new AppError('invalid', `"%" does not go with ${spoken(a)} and ${spoken(b)}.`)
  refuseZero(b)
  return a - b * Math.floor(a / b)
}

/** Text beside text: `a ~ b`. Lists and objects as JSON. */
export function beside(a: unknown, b: unknown): string {
  refuseNothing('~', a, b)
  return `${printed(a)}${printed(b)}`
}

/** JavaScript would count it as 0, or write it. */
function refuseNothing(sign: string, a: unknown, b: unknown): void {
  if ((a ?? null) === null || (b ?? null) === null) throw new AppError('invalid', `"${sign}" does not go with null or undefined.`)
}

function refuseZero(divisor: unknown): void {
  if (divisor === 0) throw new AppError('invalid', 'Nothing can be divided by 0.')
}

const isTime = (value: unknown) => value instanceof TemplateDate || value instanceof TimeDelta || value instanceof RelativeDelta
const spoken = (value: unknown) => (value === null || value === undefined ? 'null or undefined' : `"${value}"`)

function refuseTimes(sign: string, a: unknown, b: unknown): void {
  if (isTime(a) || isTime(b)) throw new AppError('invalid', `"${sign}" does not go with ${spoken(a)} and ${spoken(b)}.`)
}

type Comparison = (a: number, b: number) => boolean

/** Two instants are the same when they are at the same time, two lengths when they are as long. */
const isSame: Comparison = (a: unknown, b: unknown) => {
  const [one, other] = [a, b]
  if (one instanceof TemplateDate && other instanceof TemplateDate) return one.milliseconds === other.milliseconds
  if (one instanceof TimeDelta && other instanceof TimeDelta) return one.milliseconds === other.milliseconds
  // biome-ignore lint/suspicious/noDoubleEquals: as Nunjucks has it.
  return one == other
}
const COMPARISONS: Readonly<Record<string, Comparison>> = {
  '==': isSame,
  '!=': (a, b) => !isSame(a, b),
  '===': (a, b) => a === b,
  '!==': (a, b) => a !== b,
  '<': (a, b) => a < b,
  '>': (a, b) => a > b,
  '<=': (a, b) => a <= b,
  '>=': (a, b) => a >= b,
}

function isSo(sign: string, a: unknown, b: unknown): boolean {
  if (/^[<>]/.test(sign) && ((a ?? null) === null || (b ?? null) === null)) refuseTimes(sign, a, b)
  return COMPARISONS[sign]?.(a as number, b as number) ?? false
}

/** `0 <= n < 10`, as Python has it: each value with the one after it. There is one sign fewer than values. Throws `invalid` as above. */
export const compares = (values: readonly unknown[], signs: readonly string[]): boolean =>
  signs.every((sign, i) => isSo(sign, values[i], values[i + 1]))
