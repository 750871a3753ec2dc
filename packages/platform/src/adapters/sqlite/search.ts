/** Turns a parsed search into SQL: names come from a fixed layout, everything that a user wrote is a bound value. */
import type { SQLInputValue } from 'node:sqlite'
import type { Condition, Entity, Order } from '../../models/filter.ts'

/** Where a noun keeps what can be searched. */
export interface SearchLayout {
  /** Columns of attributes. */
  readonly columns: Readonly<Record<string, string>>
  /** Tables beside it: `owner` joins the row `s` (or `o`) of `table` to the noun's own row. */
  readonly sides: Partial<Readonly<Record<Entity, SearchSide>>>
  /** The order when none is asked for; it also decides between equals. */
  readonly order: string
}

interface SearchSide {
  readonly table: string
  /** The side's column that holds the noun's key, and that key: `run_id`, `run.id`. */
  readonly owner: readonly (readonly [column: string, key: string])[]
  /** Metrics can be NaN, which compares with nothing and is listed after the numbers. */
  readonly hasNaN?: boolean
  /** Datasets: the key of the field is a column itself. */
  readonly isColumnPerKey?: boolean
}

export interface SearchSql {
  readonly joins: string
  readonly where: string
  readonly order: string
  readonly joinValues: readonly SQLInputValue[]
  readonly values: readonly SQLInputValue[]
}

/** MLflow's own search for prompts asks for models whose tag is not "true", and means those without the tag too. */
const PROMPT_TAG = 'mlflow.prompt.is_prompt'

/** `where` starts with ` AND ` when there are conditions; `order` is the text after ORDER BY. */
export function searchSql({ where, order }: { where: readonly Condition[]; order: readonly Order[] }, layout: SearchLayout): SearchSql {
  const joins = order.map((each, index) => join(each, index, layout)).filter((each) => each !== null)
  const conditions = where.map((each) => condition(each, layout))
  return {
    joins: joins.map(({ sql }) => sql).join(' '),
    where: conditions.map(({ sql }) => ` AND ${sql}`).join(''),
    order: [...order.map((each, index) => orderTerm(each, index, layout)), layout.order].join(', '),
    joinValues: joins.flatMap(({ values }) => values),
    values: conditions.flatMap(({ values }) => values),
  }
}

interface Fragment {
  readonly sql: string
  readonly values: readonly SQLInputValue[]
}

function condition({ entity, key, comparator, value }: Condition, { columns, sides }: SearchLayout): Fragment {
  if (entity === 'attribute') return comparison(columns[key] as string, comparator, value)
  const side = sides[entity] as SearchSide
  const owner = side.owner.map(([column, own]) => `s.${column} = ${own}`).join(' AND ')
  const row = side.isColumnPerKey ? owner : `${owner} AND s.key = ?`
  const keys = side.isColumnPerKey ? [] : [key]
  const exists = `EXISTS (SELECT 1 FROM ${side.table} s WHERE ${row}`
  if (comparator === 'IS NULL') return { sql: `NOT ${exists})`, values: keys }
  if (comparator === 'IS NOT NULL') return { sql: `${exists})`, values: keys }
  // Only keys that the parser knows can be columns, so this one is not the user's text.
  const compared = comparison(side.isColumnPerKey ? `s.${key}` : 's.value', comparator, value)
  const found = `${exists}${side.hasNaN ? ' AND s.is_nan = 0' : ''} AND ${compared.sql})`
  if (entity === 'tag' && key === PROMPT_TAG && comparator === '!=')
    return { sql: `(${found} OR NOT ${exists}))`, values: [...keys, ...compared.values, ...keys] }
  return { sql: found, values: [...keys, ...compared.values] }
}

function comparison(column: string, comparator: Condition['comparator'], value: Condition['value']): Fragment {
  if (Array.isArray(value)) return { sql: `${column} ${comparator} (SELECT value FROM json_each(?))`, values: [JSON.stringify(value)] }
  if (comparator === 'LIKE') return { sql: `${column} GLOB ?`, values: [globOf(value as string)] }
  if (comparator === 'ILIKE') return { sql: `${column} LIKE ?`, values: [value as string] }
  return { sql: `${column} ${comparator} ?`, values: [value as string | number] }
}

/** LIKE that minds upper and lower case, which SQLite's own does not: its GLOB does. */
const globOf = (pattern: string): string =>
  pattern
    .replace(/[*?[]/g, (sign) => `[${sign}]`)
    .replaceAll('%', '*')
    .replaceAll('_', '?')

function join({ entity, key }: Order, index: number, { sides }: SearchLayout): Fragment | null {
  const side = sides[entity]
  if (!side || side.isColumnPerKey) return null
  const owner = side.owner.map(([column, own]) => `o${index}.${column} = ${own}`).join(' AND ')
  return { sql: `LEFT JOIN ${side.table} o${index} ON ${owner} AND o${index}.key = ?`, values: [key] }
}

function orderTerm({ entity, key, descending }: Order, index: number, { columns, sides }: SearchLayout): string {
  const direction = `${descending ? 'DESC' : 'ASC'} NULLS LAST`
  if (entity === 'attribute') return `${columns[key]} ${direction}`
  const row = `o${index}`
  return sides[entity]?.hasNaN ? `${row}.is_nan ASC NULLS LAST, ${row}.value ${direction}` : `${row}.value ${direction}`
}

/** Rows of a side table, gathered by the key that owns them. */
export function gather<Row, Item>(rows: readonly Row[], ownerOf: (row: Row) => string, itemOf: (row: Row) => Item): Map<string, Item[]> {
  const gathered = new Map<string, Item[]>()
  for (const row of rows) {
    const owner = ownerOf(row)
    const items = gathered.get(owner)
    if (items) items.push(itemOf(row))
    else gathered.set(owner, [itemOf(row)])
  }
  return gathered
}
