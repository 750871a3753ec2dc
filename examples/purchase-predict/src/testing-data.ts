/** Tables for the tests: generated ones with a pattern to learn, and the real day where it lies beside the project. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { parseCsv, Table } from '@daggerboard/pipeline'
import { PRIMARY_COLUMNS } from './columns.ts'

const TREE = {
  electronics: ['smartphone', 'audio', 'clocks'],
  appliances: ['kitchen', 'environment'],
  computers: ['notebook', 'desktop'],
} as const
const BRANDS = ['samsung', 'apple', 'xiaomi', 'lg', 'bosch', 'acer', null]

/** A small seeded generator (mulberry32), so that every run of the tests sees the same rows. */
function numbersFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

/** Sessions of one to three products; longer ones and those with many views end in a purchase more often. */
export function generatedRows(rows: number, seed = 7): Table {
  const random = numbersFrom(seed)
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T
  const records: Record<string, string | number | null>[] = []
  for (let session = 0; records.length < rows; session++) {
    const views = 1 + Math.floor(random() * 12)
    const duration = Math.floor(random() * random() * 3600)
    const start = { hour: Math.floor(random() * 24), minute: Math.floor(random() * 60), weekday: Math.floor(random() * 7) }
    const products = 1 + Math.floor(random() * 3)
    for (let product = 0; product < products && records.length < rows; product++) {
      const category = random() < 0.15 ? null : pick(Object.keys(TREE) as (keyof typeof TREE)[])
      const score = -0.4 + Math.min(duration, 600) / 300 + (views > 6 ? -0.6 : 0.6) + (category === 'electronics' ? 0.5 : 0)
      records.push({
        product_id: 1_000_000 + 10 * Math.floor(random() * 5000) + product,
        brand: pick(BRANDS),
        price: Math.round(100 * (1 + 900 * random() * random())) / 100,
        user_id: 500_000_000 + Math.floor(session / 2),
        user_session: `session-${session}`,
        purchased: random() < 1 / (1 + Math.exp(-score)) ? 1 : 0,
        num_views_session: views + product,
        num_views_product: 1 + Math.floor(random() * views),
        category,
        sub_category: category === null ? null : pick(TREE[category]),
        ...start,
        duration,
        num_prev_sessions: session % 2,
        num_prev_product_views: 0,
      })
    }
  }
  return Table.fromRecords(records)
}

const FOLDER = process.env.DAGGERBOARD_TEST_DATA ?? join(import.meta.dirname, '../../../../shared/data')
const REAL_DAY = join(FOLDER, 'events/purchase_rows_2019-10-01.csv.gz')

/** Why tests on the real day cannot run here; false when they can. */
export const noRealDay: string | false = existsSync(REAL_DAY)
  ? false
  : `${REAL_DAY} is not there. Set DAGGERBOARD_TEST_DATA to the folder with the data.`

/** The transform's 22,971 rows of 2019-10-01. */
export const realDay = (): Table => parseCsv(gunzipSync(readFileSync(REAL_DAY)).toString('utf8'), { types: PRIMARY_COLUMNS })
