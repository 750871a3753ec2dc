/** The shop's raw events: the table's schema, and what a file of them must look like. */
import { AppError, didYouMean } from '../core/app-error.ts'
import type { Column, TableName } from './table.ts'

export const EVENTS_TABLE: TableName = { dataset: 'shop', table: 'events' }

/** In the order of the file's columns. `category_id` has 19 digits, more than a number holds, so it is text. */
export const EVENT_COLUMNS: readonly Column[] = [
  { name: 'event_time', type: 'TIMESTAMP', required: true },
  { name: 'event_type', type: 'STRING', required: true },
  { name: 'product_id', type: 'INT64', required: true },
  { name: 'category_id', type: 'STRING', required: false },
  { name: 'category_code', type: 'STRING', required: false },
  { name: 'brand', type: 'STRING', required: false },
  { name: 'price', type: 'FLOAT64', required: true },
  { name: 'user_id', type: 'INT64', required: true },
  { name: 'user_session', type: 'STRING', required: false },
]

export const EVENT_HEADER = EVENT_COLUMNS.map((c) => c.name).join(',')

export const EVENT_TYPES: readonly string[] = ['view', 'cart', 'purchase', 'remove_from_cart']

/** Throws `invalid` with every problem when `line`, the first of `file`, is not exactly the header of an events file. */
export function checkEventHeader(line: string, file: string): void {
  const header = line.replace(/^\uFEFF/, '').replace(/\r$/, '')
  if (header === EVENT_HEADER) return
  const mend = `The first line must be: ${EVENT_HEADER}`
  const fields = header.split(',')
  if (fields.length === EVENT_COLUMNS.length && /^\d{4}-\d\d-\d\d[ T]/.test(header))
    throw new AppError('invalid', `Cannot load events from "${file}": it has no header line; its first line is an event already. ${mend}`)
  const names = EVENT_COLUMNS.map((c) => c.name)
  const missing = names.filter((name) => !fields.includes(name))
  const unknown = fields.filter((field) => !names.includes(field))
  const problems = [
    ...missing.map((name) => `Column "${name}" is missing.`),
    ...unknown.map((field) => `Column "${field}" is not known.${didYouMean(field, missing)}`),
  ]
  if (problems.length === 0) problems.push('The columns are not in the expected order, or one of them appears twice.')
  throw new AppError('invalid', `Cannot load events from "${file}": its header is wrong. ${mend}`, { problems })
}
