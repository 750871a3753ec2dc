/** A Parzen estimator: a density over a search space made of one kernel per trial, and a broad one for what is not known yet. */

import type { MersenneTwister } from './random.ts'
import { type Choice, type Dimension, optionIndex, type Space } from './search-space.ts'

/** A point of the space inside the sampler: a number as it is (its logarithm where `log`), a choice as the place of its option. */
export type Point = readonly number[]

/** The newest so many trials all count fully. */
const FLAT_TRIALS = 25

/** A dimension as a continuous interval: stepped values get half a step of room at both ends. */
interface Interval {
  readonly low: number
  readonly high: number
  /** 0 when any value will do. */
  readonly step: number
}

type Axis = { readonly kind: 'interval'; readonly interval: Interval } | { readonly kind: 'options'; readonly count: number }

/** The density around `points`. All kernels are joint: a draw takes all its parameters from the neighbourhood of one trial. */
export class Parzen {
  readonly #axes: readonly Axis[]
  readonly #points: readonly Point[]
  readonly #weights: readonly number[]
  /** Per axis, the width of each trial's kernel. */
  readonly #widths: readonly (readonly number[])[]

  /** `points` in the order of their trials, the oldest first. */
  constructor(space: Space, points: readonly Point[]) {
    this.#axes = Object.values(space).map(axisOf)
    this.#points = points
    const weights = [...ramp(points.length), 1]
    const total = weights.reduce((sum, weight) => sum + weight, 0)
    this.#weights = weights.map((weight) => weight / total)
    this.#widths = this.#axes.map((axis, a) =>
      axis.kind === 'options'
        ? []
        : widthsOf(
            points.map((point) => point[a] as number),
            axis.interval,
          ),
    )
  }

  draw(random: MersenneTwister): Point {
    let left = random.double()
    let kernel = 0
    while (kernel < this.#points.length && left >= (this.#weights[kernel] as number)) left -= this.#weights[kernel++] as number
    return this.#axes.map((axis, a) => {
      if (axis.kind === 'options') return this.#drawOption(kernel, a, axis.count, random)
      const { center, width } = this.#kernel(kernel, a, axis.interval)
      return snap(truncatedNormal(center, width, axis.interval, random), axis.interval)
    })
  }

  logDensity(point: Point): number {
    const logs = this.#weights.map((weight, kernel) => {
      let log = Math.log(weight)
      for (const [a, axis] of this.#axes.entries()) {
        const value = point[a] as number
        if (axis.kind === 'options') log += Math.log(this.#optionChance(kernel, a, axis.count, value))
        else log += logKernel(value, this.#kernel(kernel, a, axis.interval), axis.interval)
      }
      return log
    })
    const most = Math.max(...logs)
    return most === -Infinity ? most : most + Math.log(logs.reduce((sum, log) => sum + Math.exp(log - most), 0))
  }

  /** The last kernel is the broad one. */
  #kernel(kernel: number, axis: number, { low, high }: Interval): { center: number; width: number } {
    if (kernel === this.#points.length) return { center: (low + high) / 2, width: high - low }
    return { center: (this.#points[kernel] as Point)[axis] as number, width: this.#widths[axis]?.[kernel] as number }
  }

  #optionChance(kernel: number, axis: number, count: number, option: number): number {
    if (kernel === this.#points.length) return 1 / count
    const floor = 1 / (this.#points.length + 1)
    return ((this.#points[kernel]?.[axis] === option ? 1 : 0) + floor) / (1 + count * floor)
  }

  #drawOption(kernel: number, axis: number, count: number, random: MersenneTwister): number {
    let left = random.double()
    for (let option = 0; option < count - 1; option++) {
      left -= this.#optionChance(kernel, axis, count, option)
      if (left < 0) return option
    }
    return count - 1
  }
}

/** Where in the space these parameters are. */
export function pointOf(space: Space, parameters: Readonly<Record<string, unknown>>): Point {
  return Object.entries(space).map(([name, dimension]) => {
    const value = parameters[name]
    if (dimension.kind === 'choice') return optionIndex(dimension, value)
    return isLog(dimension) ? Math.log(value as number) : (value as number)
  })
}

/** The parameters at a point: values themselves. */
export function parametersAt(space: Space, point: Point): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(space).map(([name, dimension], a) => {
      const value = point[a] as number
      if (dimension.kind === 'choice') return [name, (dimension as Choice).options[value]]
      if (!isLog(dimension)) return [name, value]
      // The exponential may miss a bound by a last digit.
      return [name, Math.min(dimension.high, Math.max(dimension.low, Math.exp(value)))]
    }),
  )
}

/** A point drawn evenly. */
export function evenPoint(space: Space, random: MersenneTwister): Point {
  return Object.values(space).map((dimension) => {
    const axis = axisOf(dimension)
    if (axis.kind === 'options') return random.integer(axis.count - 1)
    const { low, high } = axis.interval
    return snap(low + (high - low) * random.double(), axis.interval)
  })
}

const isLog = (dimension: Dimension): boolean => dimension.kind === 'uniform' && dimension.log

function axisOf(dimension: Dimension): Axis {
  if (dimension.kind === 'choice') return { kind: 'options', count: dimension.options.length }
  const step = dimension.step ?? 0
  if (step === 0) {
    const scale = isLog(dimension) ? Math.log : (value: number) => value
    return { kind: 'interval', interval: { low: scale(dimension.low), high: scale(dimension.high), step } }
  }
  const last = dimension.low + step * Math.floor((dimension.high - dimension.low) / step + 1e-9)
  return { kind: 'interval', interval: { low: dimension.low - step / 2, high: last + step / 2, step } }
}

/** The allowed value nearest to `value`. */
function snap(value: number, { low, high, step }: Interval): number {
  if (step === 0) return Math.min(high, Math.max(low, value))
  const steps = Math.round((high - low) / step) - 1
  return low + step / 2 + step * Math.min(steps, Math.max(0, Math.round((value - low) / step - 0.5)))
}

/** Old trials count less once there are many: rising to 1 over all but the newest. */
function ramp(count: number): number[] {
  const rising = Math.max(0, count - FLAT_TRIALS)
  return Array.from({ length: count }, (_, i) =>
    i >= rising ? 1 : rising === 1 ? 1 / count : 1 / count + ((1 - 1 / count) * i) / (rising - 1),
  )
}

/** Each kernel reaches to its farther neighbour; those at the rim to their inner one. */
function widthsOf(values: readonly number[], { low, high }: Interval): number[] {
  const range = high - low
  const narrowest = range / Math.min(100, values.length + 2)
  // The broad kernel in the middle is a neighbour too.
  const all = [...values, (low + high) / 2]
  const order = all.map((_, i) => i).sort((a, b) => (all[a] as number) - (all[b] as number) || a - b)
  const widths = new Array<number>(all.length)
  order.forEach((i, place) => {
    const value = all[i] as number
    const before = place === 0 ? undefined : value - (all[order[place - 1] as number] as number)
    const after = place === order.length - 1 ? undefined : (all[order[place + 1] as number] as number) - value
    const width = Math.max(before ?? 0, after ?? 0)
    widths[i] = Math.min(range, Math.max(narrowest, width))
  })
  return widths.slice(0, values.length)
}

function logKernel(value: number, kernel: { center: number; width: number }, { low, high, step }: Interval): number {
  if (high <= low) return 0
  const z = (x: number) => (x - kernel.center) / kernel.width
  const inside = normalCdf(z(high)) - normalCdf(z(low))
  if (step > 0) {
    const chance = normalCdf(z(value + step / 2)) - normalCdf(z(value - step / 2))
    return Math.log(Math.max(chance, 1e-300) / inside)
  }
  return -0.5 * z(value) ** 2 - Math.log(kernel.width * Math.sqrt(2 * Math.PI) * inside)
}

/** The kernels are no narrower than a hundredth of the range around a center inside it, so a draw is seldom rejected more than once. */
function truncatedNormal(center: number, width: number, { low, high }: Interval, random: MersenneTwister): number {
  if (high <= low) return low
  for (;;) {
    const value = center + width * random.normal()
    if (value >= low && value <= high) return value
  }
}

/** The standard normal distribution function, to about 1e-7 (Abramowitz and Stegun 7.1.26 has the coefficients). */
function normalCdf(z: number): number {
  const x = Math.abs(z) / Math.SQRT2
  const t = 1 / (1 + 0.3275911 * x)
  const erf = 1 - t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429)))) * Math.exp(-x * x)
  return z < 0 ? (1 - erf) / 2 : (1 + erf) / 2
}
