/** The scale of the scores: from a round number below the lowest to one above the highest. */

export interface Scale {
  readonly low: number
  readonly high: number
  readonly ticks: readonly number[]
}

const STEPS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5]
const MOST_TICKS = 6

export function scaleOf(values: readonly number[]): Scale {
  const [least, most] = values.length === 0 ? [0.5, 1] : [Math.min(...values), Math.max(...values)]
  const step = STEPS.find((size) => Math.ceil(most / size) - Math.floor(least / size) < MOST_TICKS) ?? 1
  const from = Math.floor(least / step)
  const to = Math.max(from + 1, Math.ceil(most / step))
  const ticks = Array.from({ length: to - from + 1 }, (_, index) => Number(((from + index) * step).toFixed(4)))
  return { low: from * step, high: to * step, ticks }
}
