/** Conditions of a list as SQL with its values: what is not asked for adds none. */
import type { SQLInputValue } from 'node:sqlite'
import type { Range, Sort, TextFilter } from '../../core/list-query.ts'

const OPERATORS = { gte: '>=', gt: '>', lte: '<=', lt: '<' } as const

/** A statement has a bounded number of values; longer lists are one of them. */
const MOST_NAMED = 500

export class Conditions {
  readonly #sql: string[] = []
  readonly values: SQLInputValue[] = []

  /** ` WHERE …`, or nothing. */
  get where(): string {
    return this.#sql.length === 0 ? '' : ` WHERE ${this.#sql.join(' AND ')}`
  }

  add(sql: string, ...values: SQLInputValue[]): this {
    this.#sql.push(sql)
    this.values.push(...values)
    return this
  }

  equal(column: string, value: SQLInputValue | undefined): this {
    return value === undefined ? this : this.add(`${column} = ?`, value)
  }

  /** Any of them; of an empty list nothing is. */
  in(column: string, values: readonly (string | number)[] | undefined): this {
    if (!values) return this
    if (values.length === 0) return this.add('0')
    if (values.length > MOST_NAMED) return this.add(`${column} IN (SELECT value FROM json_each(?))`, JSON.stringify(values))
    return this.add(`${column} IN (${values.map(() => '?').join(', ')})`, ...values)
  }

  notIn(column: string, values: readonly (string | number)[] | undefined): this {
    if (!values || values.length === 0) return this
    if (values.length > MOST_NAMED) return this.add(`${column} NOT IN (SELECT value FROM json_each(?))`, JSON.stringify(values))
    return this.add(`${column} NOT IN (${values.map(() => '?').join(', ')})`, ...values)
  }

  range(column: string, range: Range<SQLInputValue> | undefined): this {
    for (const [bound, operator] of Object.entries(OPERATORS)) {
      const value = range?.[bound as keyof typeof OPERATORS]
      if (value !== undefined) this.add(`${column} ${operator} ?`, value)
    }
    return this
  }

  /** No pattern, or `~`, finds everything. */
  like(column: string, { like = '', prefix = '' }: TextFilter = {}): this {
    if (prefix !== '') this.add(`substr(${column}, 1, length(?)) = ?`, prefix, prefix)
    const parts = like
      .split('|')
      .map((part) => part.trim())
      .filter((part) => part !== '' && part !== '~')
    if (parts.length === 0) return this
    return this.add(`(${parts.map(() => `${column} LIKE ? ESCAPE '\\'`).join(' OR ')})`, ...parts.map((part) => `%${part}%`))
  }
}

/** ` ORDER BY …` of columns as SQL has them; `last` decides where all else ties. */
export function orderBy<Column extends string>(
  sorts: readonly Sort<Column>[],
  columns: Readonly<Record<Column, string>>,
  last: string,
): string {
  const terms = sorts.map(({ by, descending }) => `${columns[by]}${descending ? ' DESC' : ''}`)
  return ` ORDER BY ${[...terms, `${last}${sorts.at(-1)?.descending ? ' DESC' : ''}`].join(', ')}`
}
