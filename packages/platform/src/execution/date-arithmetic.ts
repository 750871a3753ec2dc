/** What the signs of arithmetic mean in templates. */
import { DateInterval } from './date-interval.ts'
import { TemplateDate } from './template-date.ts'
import { TimeDelta } from './time-delta.ts'

/** `a + b`, `a - b` and `a * b` as Python has them for instants, lengths of time and lists; for everything else as JavaScript has them. */
export function plus(a: unknown, b: unknown): unknown {
  if (a instanceof TemplateDate && b instanceof TimeDelta) return a.plus(b)
  if (a instanceof TimeDelta && b instanceof TemplateDate) return b.plus(a)
  if (a instanceof TimeDelta && b instanceof TimeDelta) return new TimeDelta(a.milliseconds + b.milliseconds)
  if (Array.isArray(a) && Array.isArray(b)) return [...a, ...b]
  return (a as number) + (b as number)
}

export function minus(a: unknown, b: unknown): unknown {
  if (a instanceof TemplateDate && b instanceof TemplateDate) return new DateInterval(b, a)
  if (b instanceof TimeDelta && (a instanceof TemplateDate || a instanceof TimeDelta)) return plus(a, new TimeDelta(-b.milliseconds))
  return (a as number) - (b as number)
}

export function times(a: unknown, b: unknown): unknown {
  if (a instanceof TimeDelta && typeof b === 'number') return new TimeDelta(Math.round(a.milliseconds * b * 1000) / 1000)
  if (b instanceof TimeDelta && typeof a === 'number') return times(b, a)
  if (typeof a === 'string' && typeof b === 'number') return a.repeat(Math.max(0, b))
  return (a as number) * (b as number)
}

export function dividedBy(a: unknown, b: unknown): unknown {
  if (a instanceof TimeDelta && typeof b === 'number') return new TimeDelta(Math.round((a.milliseconds / b) * 1000) / 1000)
  if (a instanceof TimeDelta && b instanceof TimeDelta) return a.milliseconds / b.milliseconds
  return (a as number) / (b as number)
}
