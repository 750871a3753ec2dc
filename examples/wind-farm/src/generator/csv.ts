/** Made-up turbine data as the open data's CSV. */
import { COLUMNS, TURBINES } from '../signals.ts'
import { measure, STEP_MS } from './turbine.ts'

export interface Stretch {
  readonly start: Date
  /** Not in it any more. */
  readonly end: Date
  readonly seed?: number
}

export const DEFAULT_SEED = 7

/** The header, then the rows of all turbines, ten minutes by ten minutes. */
export function* generatedCsv({ start, end, seed = DEFAULT_SEED }: Stretch): Generator<string> {
  yield `${COLUMNS.join(';')}\n`
  const values = measure(seed, 0, 0)
  for (let step = Math.ceil(start.getTime() / STEP_MS); step * STEP_MS < end.getTime(); step++) {
    const time = new Date(step * STEP_MS).toISOString().replace('.000Z', '+00:00')
    yield TURBINES.map((name, turbine) => {
      measure(seed, turbine, step, values)
      return `${name};${time};${Array.from(values, (value) => (Number.isNaN(value) ? '' : String(value))).join(';')}\n`
    }).join('')
  }
}
