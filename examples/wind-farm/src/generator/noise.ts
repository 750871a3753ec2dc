/** Seeded noise over time: the same place and time always give the same value, whichever stretch of time is asked for. */

/** A number in 0 … 1 that depends on all its arguments and on nothing else (an integer hash of xor, shift and multiply rounds). */
export function hashed(seed: number, stream: number, step: number): number {
  let mixed = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(stream + 0x632be5ab, 0xc2b2ae35) ^ Math.imul(step, 0x27d4eb2f)
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d)
  mixed = Math.imul(mixed ^ (mixed >>> 12), 0x297a2d39)
  return ((mixed ^ (mixed >>> 15)) >>> 0) / 4294967296
}

/** A curve in −1 … 1 that wanders once in about `period` steps. */
export function wandering(seed: number, stream: number, step: number, period: number): number {
  const place = step / period
  const before = Math.floor(place)
  const part = place - before
  const smooth = part * part * (3 - 2 * part)
  const from = hashed(seed, stream, before)
  const to = hashed(seed, stream, before + 1)
  return 2 * (from + (to - from) * smooth) - 1
}
