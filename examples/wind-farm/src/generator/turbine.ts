/** Makes up what a turbine of the Senvion MM82 kind (2,050 kW, 8.5 to 17.1 turns a minute) would have measured in ten minutes. */
import { MEASUREMENTS, PARTS, type Part, SIGNALS, type Signal, TURBINES } from '../signals.ts'
import { hashed, wandering } from './noise.ts'

export const STEP_MS = 600_000
const STEPS_PER_DAY = 144
const STEPS_PER_YEAR = 365.25 * STEPS_PER_DAY

const RATED_POWER_KW = 2050
const RATED_WIND = 14.5
const CUT_IN_WIND = 3.5
const CUT_OUT_WIND = 24
const GEAR_RATIO = 105.4

/** Streams of noise, so that no two signals wander alike. */
const WIND = 1
const GUST = 2
const DIRECTION = 3
const TEMPERATURE = 4
const VANE = 5
const GRID = 6
const STOPPED = 7
const MEASURED = 100
const MISSING = 1000

/** How often a ten-minute row lacks a signal; some sensors are new, or drop out more than others. */
const MISSING_SHARE: Readonly<Partial<Record<Signal, number>>> = {
  Va1: 0.02,
  Va2: 0.02,
  Q: 0.005,
  Rs: 0.01,
  Rm: 0.01,
  Ba: 0.003,
  Pas: 0.05,
  Rt: 0.002,
}

/** The spread of a signal within ten minutes, as a share of it and as a least value. */
const SPREAD: Readonly<Partial<Record<Signal, readonly [share: number, least: number]>>> = {
  ...{ Ws: [0.12, 0.1], Ws1: [0.12, 0.1], Ws2: [0.12, 0.1], P: [0.13, 0.5], Q: [0.1, 1], S: [0.12, 0.5], Rs: [0.04, 0.02], Ds: [0.04, 1] },
  ...{
    DCs: [0.04, 1],
    Cm: [0.12, 2],
    Rm: [0.12, 2],
    Ba: [0.08, 0.01],
    Pas: [0.08, 0.01],
    Va: [0, 8],
    Va1: [0, 8],
    Va2: [0, 8],
    Wa: [0, 8],
  },
}

/** The values of `MEASUREMENTS` for one turbine and one ten-minute step since 1970; NaN where a sensor was silent. */
export function measure(
  seed: number,
  turbine: number,
  step: number,
  into: Float64Array = new Float64Array(MEASUREMENTS.length),
): Float64Array {
  const averages = averagesOf(seed, turbine, step)
  SIGNALS.forEach((signal, index) => {
    const place = 4 * index
    if (hashed(seed, MISSING + 64 * turbine + index, step) < (MISSING_SHARE[signal] ?? 0)) {
      into.fill(Number.NaN, place, place + 4)
      return
    }
    const average = averages[signal]
    const [share, least] = SPREAD[signal] ?? [0.003, 0.02]
    const std = (share * Math.abs(average) + least) * (0.5 + hashed(seed, MEASURED + 64 * turbine + index, step))
    const parts: Readonly<Record<Part, number>> = { avg: average, min: average - 2.2 * std, max: average + 2.4 * std, std }
    PARTS.forEach((part, offset) => {
      into[place + offset] = Math.round(parts[part] * 100) / 100
    })
  })
  return into
}

function averagesOf(seed: number, turbine: number, step: number): Record<Signal, number> {
  const own = 16 * (turbine + 1)
  const year = Math.cos(2 * Math.PI * (step / STEPS_PER_YEAR - 0.04))
  const day = Math.sin(2 * Math.PI * (step / STEPS_PER_DAY - 0.35))
  // The farm has one weather; each turbine has gusts and a place of its own.
  const weather = 0.65 * wandering(seed, WIND, step, 300) + 0.35 * wandering(seed, WIND + 50, step, 60)
  const wind = Math.max(
    0.3,
    (7 + 1.2 * year + 0.4 * day) * (1 + 0.95 * weather) + 0.5 * wandering(seed, GUST + own, step, 3) + 0.15 * turbine,
  )
  const direction = wrapped(235 + 110 * wandering(seed, DIRECTION, step, 500) + 25 * wandering(seed, DIRECTION + 50, step, 40))
  const outdoor = 10.5 - 8.5 * year + 3 * day + 4 * wandering(seed, TEMPERATURE, step, 400)
  const isStopped = hashed(seed, STOPPED + own, Math.floor(step / 36)) < 0.015
  const isRunning = !isStopped && wind >= CUT_IN_WIND && wind < CUT_OUT_WIND

  const share = isRunning ? Math.min(1, ((wind - CUT_IN_WIND + 0.4) / (RATED_WIND - CUT_IN_WIND)) ** 2.1) : 0
  const power = isRunning ? RATED_POWER_KW * share : -2.5 - 1.5 * hashed(seed, GRID + own, step)
  const rotor = isRunning ? Math.min(17.1, Math.max(8.5, 1.9 * wind)) : 0.25 * Math.min(wind, 6) * hashed(seed, STOPPED + 50 + own, step)
  const pitch = pitchOf(isRunning, isStopped, wind) + (isRunning ? 0.15 : 1.5) * (hashed(seed, VANE + own, step) - 0.5)
  const load = Math.max(0, power) / RATED_POWER_KW
  // Heat follows the load of the last hours, not of the moment.
  const warm = load * 0.7 + 0.3 * Math.max(0, weather)
  const torque = isRunning ? (power * 1000 * 60) / (2 * Math.PI * rotor * GEAR_RATIO) : -3
  const reactive = isRunning ? 40 * load + 25 * wandering(seed, GRID + own, step, 20) : 0
  const apparent = Math.hypot(power, reactive)
  const vane = 6 * wandering(seed, VANE + 50 + own, step, 8)
  const grid = wandering(seed, GRID, step, 50)
  const around = (base: number, spread: number, stream: number): number => base + spread * wandering(seed, 200 + stream + own, step, 12)
  return {
    ...{ Ba: pitch, Pas: pitch + 0.05, Ws: wind, Ws1: around(wind, 0.12, 1), Ws2: around(wind, 0.15, 2), Wa: wrapped(direction + vane) },
    ...{
      Wa_c: wrapped(direction + vane + 1.5),
      Ya: direction,
      Na_c: wrapped(direction + 1.5),
      Va: vane,
      Va1: around(vane, 1, 3),
      Va2: around(vane, 1, 4),
    },
    ...{
      P: power,
      Q: reactive,
      S: apparent,
      Cosphi: apparent < 5 ? 1 : Math.abs(power) / apparent,
      Nf: 50 + 0.02 * grid,
      Nu: 697 + 8 * grid,
    },
    ...{ Rs: rotor, Ds: rotor * GEAR_RATIO, DCs: rotor * GEAR_RATIO * 1.002, Cm: torque, Rm: torque * 0.985, Ot: outdoor },
    ...{
      Rt: around(outdoor + 6 + 4 * warm, 0.6, 5),
      Yt: around(outdoor + 11 + 7 * warm, 0.8, 6),
      Rbt: around(outdoor + 9 + 6 * warm, 0.5, 7),
    },
    ...{ Db1t: around(30 + 18 * warm, 1.5, 8), Db2t: around(28 + 20 * warm, 1.5, 9), Dst: around(35 + 45 * warm, 2, 10) },
    ...{
      Gb1t: around(48 + 22 * warm, 1.2, 11),
      Gb2t: around(48 + 23 * warm, 1.2, 12),
      Git: around(44 + 14 * warm, 1, 13),
      Gost: around(46 + 14 * warm, 1, 14),
    },
  }
}

/** Blades stand flat to the wind while it gives less than the rated power, turn out of it above, and stand out of it when the turbine does not run. */
function pitchOf(isRunning: boolean, isStopped: boolean, wind: number): number {
  if (isStopped) return 87
  if (!isRunning) return wind >= CUT_OUT_WIND ? 87 : 44.9
  if (wind < 10.5) return -1
  return wind < RATED_WIND ? 0.45 * (wind - 10.5) ** 1.3 - 1 : 1.7 + 6.2 * (wind - RATED_WIND) ** 0.75
}

const wrapped = (degrees: number): number => ((degrees % 360) + 360) % 360

/** The place of a turbine in the farm; −1 when it has none of that name. */
export const turbineNumber = (name: string): number => (TURBINES as readonly string[]).indexOf(name)
