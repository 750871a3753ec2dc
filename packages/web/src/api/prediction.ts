/** Reads what a deployed API answers for one row: a 0 or 1, a probability, or both, however deep they lie. */

export interface Prediction {
  readonly probability: number | null
  readonly willBuy: boolean | null
}

export function readAnswer(body: unknown): Prediction {
  const probability = firstNumber(body, /^prob/)
  const verdict = firstNumber(body, /^(predict|purchased|label|class|willBuy)/) ?? (probability === null ? firstNumber(body, /^$/) : null)
  return { probability, willBuy: verdict !== null ? verdict >= 0.5 : probability !== null ? probability >= 0.5 : null }
}

/** The first number (or boolean) that stands under a name like `name`, or anywhere when the lists around it have no names. */
function firstNumber(value: unknown, name: RegExp, isUnderName = name.test('')): number | null {
  if (typeof value === 'number' || typeof value === 'boolean') return isUnderName ? Number(value) : null
  if (Array.isArray(value)) return firstNumber(value[0], name, isUnderName)
  if (typeof value !== 'object' || value === null) return null
  for (const [key, inner] of Object.entries(value)) {
    const found = firstNumber(inner, name, name.test(key))
    if (found !== null) return found
  }
  return null
}
