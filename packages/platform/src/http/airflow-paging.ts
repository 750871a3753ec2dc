/** Which page of a list Airflow's REST API answers. */
import { AppError } from '../core/app-error.ts'

const DEFAULT_LIMIT = 50
/** As in Airflow: a larger limit is answered with as many. */
const MAX_LIMIT = 100

/** `limit` and `offset` of a query; throws `invalid` when one is not a whole number. */
export function paging(query: (name: string) => string | undefined): { limit: number; offset: number } {
  const wholeNumber = (name: string, otherwise: number) => {
    const text = query(name)
    if (text === undefined) return otherwise
    if (!/^\d{1,9}$/.test(text)) throw new AppError('invalid', `${name}=${text} is not a whole number. Send one from 0 on.`)
    return Number(text)
  }
  return { limit: Math.min(wholeNumber('limit', DEFAULT_LIMIT), MAX_LIMIT), offset: wholeNumber('offset', 0) }
}
