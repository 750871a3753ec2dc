/** The transform's SQL, as it stands in the file, gives the same rows in Apache Spark as here, and is stopped there by the same contracts. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { generateEvents } from '../../examples/shop-events/generator.ts'
import { EVENT_HEADER } from '../../packages/platform/src/warehouse/event.ts'
import { type Outcome, partsIn, runHere, runInSpark, type Script } from './both-engines.ts'

const REPOSITORY = join(import.meta.dirname, '../..')
const DATA = process.env.DAGGERBOARD_TEST_DATA ?? join(REPOSITORY, '../shared/data')
const REAL_EVENTS = join(DATA, 'events/events_2019-10-01_first_2h50.csv.gz')
const COLUMNS =
  'product_id,brand,price,user_id,user_session,purchased,num_views_session,num_views_product,category,sub_category,hour,minute,weekday,duration,num_prev_sessions,num_prev_product_views'
const WEEK = { start: '2026-01-05', end: '2026-01-12' }

const java = process.env.JAVA_HOME ? join(process.env.JAVA_HOME, 'bin/java') : 'java'
const isMissing = spawnSync(java, ['-version']).status !== 0
const advice = `Apache Spark needs Java 17, and "${java}" does not run. Install it (apt-get install default-jre-headless) or set JAVA_HOME.`
const skip = isMissing && !process.env.CI && advice

describe("the transform's SQL in Apache Spark", { skip }, () => {
  let directory: string
  let spark: Record<string, Outcome>
  let here: Record<string, Outcome>

  before(async () => {
    if (isMissing) throw new Error(advice)
    directory = await mkdtemp(join(tmpdir(), 'spark-'))
    const file = (name: string) => join(directory, name)
    await generateEvents({ file: file('week.csv'), events: 60_000, from: new Date(WEEK.start), weeks: 1, seed: 3 })
    await writeFile(file('odd.csv'), `${EVENT_HEADER}\n${oddEvents().join('\n')}\n`)
    await writeFile(file('viewed.csv'), `${EVENT_HEADER}\n2026-01-05 10:00:00 UTC,view,1,,,,1.50,2,a\n`)
    const sql = await readFile(join(REPOSITORY, 'examples/purchase-predict/transform/create_events_data.sql'), 'utf8')
    const checks = sql.match(/SELECT assert_true\([^;]*FROM purchase_rows\b[^;]*;/g) ?? []
    assert.equal(checks.length, 3)
    const scripts: Record<string, Script> = {
      week: { sql, ...WEEK, events: file('week.csv') },
      ...(existsSync(REAL_EVENTS) ? { real: { sql, start: '2019-10-01', end: '2019-10-02', events: REAL_EVENTS } } : {}),
      odd: { sql, ...WEEK, events: file('odd.csv') },
      'no events': { sql, start: '2026-02-02', end: '2026-02-09', events: file('odd.csv') },
      'no carts': { sql, ...WEEK, events: file('viewed.csv') },
      'kept contracts': { sql: given("('a', 1, 2.5), ('a', 2, 2.5)") + checks.join('\n') },
      'a pair twice': { sql: given("('a', 1, 2.5), ('b', 1, 2.5), ('a', 1, 3.5)") + checks.join('\n') },
      'no price': { sql: given("('a', 1, 2.5), ('b', 1, NULL)") + checks.join('\n') },
      cells: { sql: await readFile(join(import.meta.dirname, 'cells.sql'), 'utf8') },
    }
    const outcomes = await Promise.all([runInSpark(scripts, directory), runHere(scripts, directory)])
    spark = outcomes[0]
    here = outcomes[1]
  })
  after(async () => {
    if (directory) await rm(directory, { recursive: true, force: true })
  })

  async function assertSameRows(name: string, atLeast: number): Promise<void> {
    assert.deepEqual([spark[name]?.stopped, here[name]?.stopped], [null, null])
    const [theirs, ours] = await Promise.all([rowsIn(spark[name] as Outcome), rowsIn(here[name] as Outcome)])
    const firstDifference = theirs.findIndex((row, i) => !isDeepStrictEqual(row, ours[i]))
    assert.deepEqual(ours[firstDifference], theirs[firstDifference], `row ${firstDifference} of "${name}"`)
    assert.equal(ours.length, theirs.length)
    assert.ok(ours.length >= atLeast, `only ${ours.length} rows`)
  }

  it('gives the same rows in the same order for a generated week of 60,000 events', () => assertSameRows('week', 1000))

  it(
    'gives the same rows for the first 2 h 50 of the real day',
    { skip: !existsSync(REAL_EVENTS) && `Set DAGGERBOARD_TEST_DATA to the folder that holds ${REAL_EVENTS.slice(DATA.length + 1)}.` },
    () => assertSameRows('real', 100),
  )

  it('gives the same rows for quotes, commas, spaces, line ends, missing values, equal times and great numbers', () =>
    assertSameRows('odd', 30))

  for (const [name, message] of [
    ['no events', /^There are no events from 2026-02-02 to 2026-02-09\. Load/],
    ['no carts', /^No session from 2026-01-05 to 2026-01-12 reached the cart/],
    ['a pair twice', /^\(user_session, product_id\) must be unique, but 1 pairs appear more than once\.$/],
    ['no price', /^Counts must not be empty, but 1 rows lack one\.$/],
  ] as const)
    it(`stops for the same reason, in the same words: ${name}`, () => {
      assert.match(spark[name]?.stopped ?? '', message)
      assert.equal(here[name]?.stopped, spark[name]?.stopped)
    })

  it('lets rows pass that keep the contracts', () => {
    assert.deepEqual([spark['kept contracts']?.stopped, here['kept contracts']?.stopped], [null, null])
  })

  for (const folder of ['plain', 'exact', 'again'])
    it(`writes and reads CSV cells as Spark does: ${folder}`, async () => {
      assert.deepEqual([spark.cells?.stopped, here.cells?.stopped], [null, null])
      const [theirs, ours] = await Promise.all(
        [spark, here].map(async ({ cells }) => (await partsIn(join(cells?.output ?? '', folder))).join('')),
      )
      assert.ok(theirs && theirs.split('\n').length > 20)
      assert.deepEqual(ours?.split('\n'), theirs.split('\n'))
    })
})

/** Rows of `(user_session, product_id, price)` as the statement that makes them would leave them. */
const given = (rows: string) => `CREATE OR REPLACE TEMPORARY VIEW purchase_rows AS
  SELECT *, 1 AS purchased, 1 AS num_views_session, 1 AS num_views_product, 0 AS duration, 0 AS num_prev_sessions, 0 AS num_prev_product_views,
    10 AS hour, 0 AS minute, 0 AS weekday
  FROM (VALUES ${rows}) AS given(user_session, product_id, price);
`

const PRICE = COLUMNS.split(',').indexOf('price')

/** The rows of all parts, without their headers. An empty cell is null, and `""` a text without letters; prices are numbers. */
async function rowsIn({ output }: Outcome): Promise<(string | number | null)[][]> {
  const rows: (string | number | null)[][] = []
  for (const text of await partsIn(output)) {
    const [header, ...body] = parse(text)
    assert.equal(header?.join(), COLUMNS)
    assert.deepEqual(
      body.filter((row) => row.length !== header?.length),
      [],
    )
    rows.push(...body.map((row) => row.map((cell, i) => (i === PRICE && cell !== null ? Number(cell) : cell))))
  }
  return rows
}

function parse(text: string): (string | null)[][] {
  const rows: (string | null)[][] = []
  let row: (string | null)[] = []
  for (const [, cell = '', end] of text.matchAll(/("(?:[^"]|"")*"|[^",\n]*)(,|\n)/g)) {
    row.push(cell === '' ? null : cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell)
    if (end === ',') continue
    rows.push(row)
    row = []
  }
  return rows
}

/** Events as no generator would write them. */
function oddEvents(): string[] {
  const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`
  const texts = [
    'o"neil',
    '"',
    '""',
    'a,b',
    ' before',
    'after ',
    ' ',
    'back\\slash',
    'end\\',
    '\\"',
    'two\nlines',
    "it's",
    '#1',
    'Øre',
    '日本',
    '\u00a0',
    'NULL',
  ]
  const codes = ['a', 'a.b', 'a.b.c', '.b', 'a..c', '.', 'a.', ' ', '', 'a.b ', 'é.ü', '"x".y']
  const prices = ['0.1', '10000000', '12345678.9', '0.00001', '1e22', '-1.5', '33.20', '0', '1234567890.123', '9007199254740993']
  const events: string[] = []
  const add = (time: string, type: string, product: string, code: string, brand: string, price: string, user: number, session: string) =>
    events.push([`2026-01-${time} UTC`, type, product, '', quoted(code), quoted(brand), price, user, quoted(session)].join(','))
  for (const [i, text] of texts.entries()) {
    // The same second for all, so that only the texts order them.
    add('05 12:00:00', 'cart', '9007199254740993', codes[i % codes.length] ?? '', text, prices[i % prices.length] ?? '', 1, `s${text}`)
    add('05 12:00:00', 'purchase', String(-i), codes[i % codes.length] ?? '', text, '5', 1, `s${text}`)
  }
  // Equal in all but what breaks the tie; the first has neither price of the others, brand nor category.
  for (const [code, brand, price] of [
    ['b.b', 'b', '2'],
    ['a.a', 'b', '2'],
    ['', '', '2'],
    ['a.a', 'a', '2'],
    ['', '', '3'],
  ] as const)
    for (const type of ['purchase', 'cart', 'view', 'remove_from_cart']) add('06 00:00:00', type, '7', code, brand, price, 2, 'tie')
  for (const [i, session] of ['Z', 'a', 'É', '\uFFFD', '😀', ' a', 'A'].entries())
    add('07 23:59:59', 'cart', '8', '', 'x', '1', 3 + (i % 2), session)
  // Two users in one session, a session without a name, and the edges of the interval.
  for (const user of [10, 11]) add('08 10:00:00', 'cart', '9', 'a.b', 'x', '1', user, 'shared')
  add('08 10:00:00', 'cart', '9', 'a.b', 'x', '1', 12, '')
  for (const time of ['04 23:59:59', '05 00:00:00', '11 23:59:59', '12 00:00:00'])
    add(time, 'cart', '10', '', 'edge', '1', 13, `at ${time}`)
  return events
}
