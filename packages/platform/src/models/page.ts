/** A part of a list, and the token that asks for the next part. */
import { AppError } from '../core/app-error.ts'
import type { Condition, Order } from './filter.ts'

export interface Page<Item> {
  readonly items: readonly Item[]
  readonly nextPageToken: string | null
}

/** A search as a store gets it. */
export interface Search {
  readonly where: readonly Condition[]
  readonly order: readonly Order[]
  readonly limit: number
  readonly offset: number
}

/** Makes a page of `rows`, of which one more than `limit` was asked for. */
export const pageOf = <Item>(rows: readonly Item[], { limit, offset }: Pick<Search, 'limit' | 'offset'>): Page<Item> => ({
  items: rows.slice(0, limit),
  nextPageToken: rows.length > limit ? Buffer.from(JSON.stringify({ offset: offset + limit })).toString('base64') : null,
})

/** The place in the list that `token` stands for; 0 without one. Throws `invalid` when it is not one of ours. */
export function offsetOf(token: string | null | undefined): number {
  if (!token) return 0
  try {
    const { offset } = JSON.parse(Buffer.from(token, 'base64').toString('utf8')) as { offset: unknown }
    if (Number.isSafeInteger(offset) && (offset as number) >= 0) return offset as number
  } catch {
    // Said below.
  }
  throw new AppError('invalid', `Invalid page_token "${token}": send the next_page_token of the answer before, or none.`)
}
