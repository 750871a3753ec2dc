/** The instants at which a schedule ticks: those of a cron expression in a time zone, or of a fixed distance. */
import { fromWallClock, toWallClock } from '@daggerboard/dag'
import { AppError } from '../../core/app-error.ts'
import { type CronFace, cronFace } from './cron-face.ts'

export interface Ticks {
  /** The tick after `at`, never `at` itself. */
  after(at: Date): Date
  before(at: Date): Date
  /** `at` if it is a tick, else the tick after it. */
  alignToNext(at: Date): Date
  /** `at` if it is a tick, else the tick before it. */
  alignToPrevious(at: Date): Date
}

/**
 * Ticks of a cron expression, read from the clocks of a zone. As in Airflow, an expression that ticks in every hour keeps its distance when
 * the clocks change, so that no hour goes without a run. Any other keeps to what the clocks show: a time that they leave out is moved on by
 * what they leave out, and a time that they show twice means the second one. Throws `invalid`.
 */
export class CronTicks implements Ticks {
  readonly #expression: string
  readonly #face: CronFace
  readonly #timezone: string

  constructor(expression: string, timezone: string) {
    this.#expression = expression
    this.#face = cronFace(expression)
    this.#timezone = timezone
  }

  after(at: Date): Date {
    return this.#tick(at, 'after')
  }

  before(at: Date): Date {
    return this.#tick(at, 'before')
  }

  alignToNext(at: Date): Date {
    const next = this.after(at)
    return this.before(next).getTime() === at.getTime() ? at : next
  }

  alignToPrevious(at: Date): Date {
    const previous = this.before(at)
    return this.after(previous).getTime() === at.getTime() ? at : previous
  }

  #tick(at: Date, direction: 'after' | 'before'): Date {
    const shown = toWallClock(at, this.#timezone).getTime()
    for (let tick = this.#face[direction](shown); tick !== null; tick = this.#face[direction](tick)) {
      const candidates = [fromWallClock(new Date(tick), this.#timezone), this.#atSameDistance(at, tick - shown)]
      // Around a change of the clocks a tick on the clock's face may be the very instant that we come from.
      const found = candidates.filter((one) => one !== null && (direction === 'after' ? one > at : one < at)) as Date[]
      const [first, second] = found
      if (first) return second && Math.abs(second.getTime() - at.getTime()) < Math.abs(first.getTime() - at.getTime()) ? second : first
    }
    throw new AppError('invalid', `The schedule "${this.#expression}" has no tick ${direction} ${at.toISOString()}.`)
  }

  /** Null where the clocks then show another time than one that matches: where they change by half an hour, or between two days. */
  #atSameDistance(at: Date, distance: number): Date | null {
    if (!this.#face.hasEveryHour) return null
    const found = new Date(at.getTime() + distance)
    return this.#face.matches(toWallClock(found, this.#timezone).getTime()) ? found : null
  }
}

/** Every instant is a tick of it: the next one is always the same distance away. */
export class DeltaTicks implements Ticks {
  readonly #ms: number

  constructor(seconds: number) {
    if (!(seconds > 0 && Number.isFinite(seconds))) {
      throw new AppError('invalid', `A schedule of every ${seconds} seconds cannot be kept: the distance must be above 0.`)
    }
    this.#ms = seconds * 1000
  }

  after(at: Date): Date {
    return new Date(at.getTime() + this.#ms)
  }

  before(at: Date): Date {
    return new Date(at.getTime() - this.#ms)
  }

  alignToNext(at: Date): Date {
    return at
  }

  alignToPrevious(at: Date): Date {
    return at
  }

  /** The last whole multiple of the distance, counted from 1970. */
  round(at: Date): Date {
    return new Date(at.getTime() - (at.getTime() % this.#ms))
  }
}

export const laterOf = (a: Date, b: Date): Date => (a > b ? a : b)
