/** Reads decimal numbers straight from bytes: a table of turbine data has tens of millions of them. */

const ZERO = 48
const NINE = 57
const POINT = 46
const MINUS = 45
const PLUS = 43

/** Powers of ten that a double holds exactly. */
const POWERS = Array.from({ length: 23 }, (_, exponent) => 10 ** exponent)
const MOST_EXACT = Number.MAX_SAFE_INTEGER

/**
 * The number that `bytes[from … to)` spells, rounded as `Number()` rounds it; NaN when it spells none. Digits that fit a safe integer, divided by
 * a power of ten up to 10²², are exact (W. Clinger, "How to read floating point numbers accurately", 1990); all else is left to `Number()`.
 */
export function readDecimal(bytes: Buffer, from: number, to: number): number {
  let at = from
  const first = bytes[at]
  if (first === MINUS || first === PLUS) at++
  let digits = 0
  let pointAt = -1
  for (; at < to; at++) {
    const byte = bytes[at] as number
    if (byte >= ZERO && byte <= NINE) {
      digits = digits * 10 + (byte - ZERO)
      if (digits > MOST_EXACT) return slowly(bytes, from, to)
    } else if (byte === POINT && pointAt < 0) pointAt = at
    else return slowly(bytes, from, to)
  }
  const decimals = pointAt < 0 ? 0 : to - pointAt - 1
  const written = to - from - (first === MINUS || first === PLUS ? 1 : 0) - (pointAt < 0 ? 0 : 1)
  if (written === 0 || decimals > 22) return slowly(bytes, from, to)
  const value = digits / (POWERS[decimals] as number)
  return first === MINUS ? -value : value
}

function slowly(bytes: Buffer, from: number, to: number): number {
  const text = bytes.toString('latin1', from, to).trim()
  return text === '' ? Number.NaN : Number(text)
}
