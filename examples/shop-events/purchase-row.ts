/** The rows that the transform makes, as they lie in its CSV parts. */
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { createGunzip } from 'node:zlib'

const COLUMNS = [
  'product_id',
  'brand',
  'price',
  'user_id',
  'user_session',
  'purchased',
  'num_views_session',
  'num_views_product',
  'category',
  'sub_category',
  'hour',
  'minute',
  'weekday',
  'duration',
  'num_prev_sessions',
  'num_prev_product_views',
] as const

export type PurchaseRow = Readonly<Record<(typeof COLUMNS)[number], string>>

/** Reads a file of rows, plain or gzip. Throws `RangeError` naming the line when it is not such a file. */
export async function readPurchaseRows(file: string): Promise<PurchaseRow[]> {
  const raw = createReadStream(file)
  const lines = createInterface({ input: file.endsWith('.gz') ? raw.pipe(createGunzip()) : raw })
  const rows: PurchaseRow[] = []
  let number = 0
  for await (const line of lines) {
    number++
    if (number === 1) {
      if (line !== COLUMNS.join(','))
        throw new RangeError(`"${file}" is not a file of transform rows: its first line must be ${COLUMNS.join(',')}`)
      continue
    }
    if (line === '') continue
    const values = line.split(',')
    if (values.length !== COLUMNS.length || line.includes('"'))
      throw new RangeError(
        `Line ${number} of "${file}" has ${values.length} values instead of ${COLUMNS.length}, or quotes. Write plain CSV.`,
      )
    const row = Object.fromEntries(COLUMNS.map((name, i) => [name, values[i]])) as PurchaseRow
    const wrong = COLUMNS.slice(10).find((name) => !/^\d+$/.test(row[name]))
    if (wrong) throw new RangeError(`Line ${number} of "${file}": ${wrong} is "${row[wrong]}"; it must be a whole number.`)
    rows.push(row)
  }
  return rows
}
