/** Values as JSON keeps them, which is how the scheduler and the workers see a DAG. */

/** `value` as JSON keeps it; null, and a sentence in `problems`, when it cannot. */
export function plain(value: unknown, about: string, problems: string[]): unknown {
  try {
    return JSON.parse(JSON.stringify(value) ?? 'null')
  } catch (error) {
    problems.push(`${about} cannot be written as JSON: ${(error as Error).message}. Use plain data.`)
    return null
  }
}

/** `value` when it is a whole number that is not less than `least`; else says so. */
export function wholeNumber(value: number, least: number, about: string, problems: string[]): number {
  if (Number.isInteger(value) && value >= least) return value
  const range = least === Number.MIN_SAFE_INTEGER ? '' : ` of at least ${least}`
  problems.push(`${about} is ${value}; it must be a whole number${range}.`)
  return value
}
