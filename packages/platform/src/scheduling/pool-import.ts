/** Pools as Airflow exports them: `{"NAME": {"slots": 5, "description": "…", "include_deferred": false}}`. */
import { AppError, didYouMean } from '../core/app-error.ts'
import type { Pool } from './pool.ts'

const FIELDS = ['slots', 'description', 'include_deferred', 'team_name'] as const
const LONGEST_NAME = 256

/** Reads pools. Throws `invalid` with every problem. */
export function importPools(entries: Readonly<Record<string, unknown>>): Pool[] {
  const problems: string[] = []
  const pools = Object.entries(entries).map(([name, given]): Pool => {
    const complain = (problem: string) => void problems.push(`Pool ${JSON.stringify(name)} ${problem}`)
    const isObject = typeof given === 'object' && given !== null && !Array.isArray(given)
    if (!isObject) complain('is not an object such as {"slots": 5}.')
    const fields = isObject ? (given as Readonly<Record<string, unknown>>) : {}
    const { slots, description = null, include_deferred: includeDeferred = false } = fields
    for (const field of Object.keys(fields))
      if (!(FIELDS as readonly string[]).includes(field)) complain(`has no field "${field}".${didYouMean(field, FIELDS)}`)
    if (name.trim() === '' || name.length > LONGEST_NAME) complain(`has a name that is empty or longer than ${LONGEST_NAME} characters.`)
    if (isObject && !(Number.isInteger(slots) && (slots as number) >= -1))
      complain('has no slots: give a whole number from 0, or -1 for no limit.')
    if (description !== null && typeof description !== 'string') complain('has a description that is not a text.')
    if (typeof includeDeferred !== 'boolean') complain('has an include_deferred that is neither true nor false.')
    return {
      name,
      slots: slots as number,
      // Airflow exports an empty text where there is none.
      description: description === '' ? null : (description as string | null),
      includeDeferred: includeDeferred as boolean,
    }
  })
  if (problems.length > 0) throw new AppError('invalid', 'These pools cannot be imported:', { problems })
  return pools
}

/** What `importPools`, and Airflow's, reads again. */
export const exportPools = (pools: readonly Pool[]): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    pools.map(({ name, slots, description, includeDeferred }) => [
      name,
      { slots, description: description ?? '', include_deferred: includeDeferred },
    ]),
  )
