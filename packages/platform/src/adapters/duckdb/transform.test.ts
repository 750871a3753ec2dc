import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { generateEvents } from '../../../../../examples/shop-events/generator.ts'
import { replayRows } from '../../../../../examples/shop-events/replay.ts'
import { LocalCluster } from '../../../test/local-cluster.ts'
import type { Manifest } from '../../clusters/output-folder.ts'
import { EVENT_HEADER } from '../../warehouse/event.ts'

const REPOSITORY = join(import.meta.dirname, '../../../../..')
const SCRIPT = join(REPOSITORY, 'examples/purchase-predict/transform/create_events_data.sql')
const DATA = process.env.DAGGERBOARD_TEST_DATA ?? join(REPOSITORY, '../shared/data')
const FOLDER = 'gs://daggerboard-data/primary/staging/week/data.csv/'
const needs = (file: string) =>
  existsSync(join(DATA, file)) ? {} : { skip: `Set DAGGERBOARD_TEST_DATA to the folder that holds ${file}; it is not in ${DATA}.` }

const COLUMNS =
  'product_id,brand,price,user_id,user_session,purchased,num_views_session,num_views_product,category,sub_category,hour,minute,weekday,duration,num_prev_sessions,num_prev_product_views'
const byText = (a: string, b: string) => (a < b ? -1 : 1)
const realRows = async () => lines(gunzipSync(await readFile(join(DATA, 'events/purchase_rows_2019-10-01.csv.gz'))).toString())
const lines = (text: string) => text.trimEnd().split(/\r?\n/)
/** The first few pairs that differ: all of them would fill the screen. */
const different = (computed: readonly string[], expected: readonly string[]) =>
  Array.from({ length: Math.max(computed.length, expected.length) }, (_, i) => [computed[i], expected[i]])
    .filter(([a, b]) => a !== b)
    .slice(0, 5)
/** The same number can be written 33.2 and 33.20. */
const normal = (row: string) =>
  row
    .split(',')
    .map((value, i) => (i === 2 ? String(Number(value)) : value))
    .join(',')

describe('the transform of the example project', () => {
  let directory: string
  let local: LocalCluster
  let script: string

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'transform-'))
    local = new LocalCluster(directory)
    script = await readFile(SCRIPT, 'utf8')
    await local.create('transform')
  })
  after(async () => {
    await local.stop()
    await rm(directory, { recursive: true, force: true })
  })

  const transform = (start: string, end: string) =>
    local.run('transform', script, { events: 'daggerboard.shop.events', start, end, output: FOLDER })

  /** The rows of the parts that the manifest names, without headers. */
  async function output(): Promise<{ manifest: Manifest; rows: string[] }> {
    const read = async (name: string) => readFile(join(directory, 'buckets', FOLDER.slice(5), name), 'utf8')
    const manifest = JSON.parse(await read('_manifest.json')) as Manifest
    const rows: string[] = []
    for (const { name, rows: count } of manifest.parts) {
      const [header, ...body] = lines(await read(name))
      assert.equal(header, COLUMNS)
      assert.equal(body.length, count)
      rows.push(...body)
    }
    return { manifest, rows }
  }

  async function load(events: readonly string[]): Promise<void> {
    const file = join(directory, 'events.csv')
    await writeFile(file, `${EVENT_HEADER}\n${events.join('\n')}\n`)
    await local.warehouse.loadEvents(file, { replace: true })
  }

  it('gives the 15 published rows of sessions that ended before 02:20', needs('events/purchase_rows_2019-10-01.csv.gz'), async () => {
    const file = join(DATA, 'events/events_2019-10-01_first_2h50.csv.gz')
    await local.warehouse.loadEvents(file, { replace: true })
    const last = new Map<string, string>()
    for (const line of lines(gunzipSync(await readFile(file)).toString()).slice(1))
      last.set(line.slice(line.lastIndexOf(',') + 1), line.slice(11, 16))
    const job = await transform('2019-10-01', '2019-10-02')
    assert.equal(job.status.state, 'DONE', job.status.detail ?? '')
    const computed = (await output()).rows.filter((row) => (last.get(row.split(',')[4] ?? '') ?? '24') < '02:20').map(normal)
    const published = new Set((await realRows()).slice(1).map(normal))
    assert.equal(computed.length, 15)
    assert.deepEqual(
      computed.filter((row) => !published.has(row)),
      [],
    )
  })

  it('gives back all 22,971 real rows from the events replayed from them', needs('events/purchase_rows_2019-10-01.csv.gz'), async () => {
    const file = join(directory, 'replayed.csv.gz')
    const replayed = await replayRows({
      rows: join(DATA, 'events/purchase_rows_2019-10-01.csv.gz'),
      week: new Date('2026-01-05T00:00:00Z'),
      file,
    })
    assert.equal(await local.warehouse.loadEvents(file, { replace: true }), replayed.events)
    const job = await transform('2026-01-05', '2026-01-12')
    assert.equal(job.status.state, 'DONE', job.status.detail ?? '')
    const { rows, manifest } = await output()
    const published = (await realRows()).slice(1).map(normal).sort(byText)
    assert.deepEqual(different(rows.map(normal).sort(byText), published), [])
    assert.deepEqual([manifest.rows, manifest.inputRows, manifest.parts.length], [22_971, replayed.events, 3])
    assert.equal((await local.objects.list(FOLDER)).length, 4, 'the parts of the earlier run are gone')
  })

  it('agrees with the published variant on what was bought', needs('events/variant_input.csv'), async () => {
    const [, ...events] = lines(await readFile(join(DATA, 'events/variant_input.csv'), 'utf8'))
    // The variant also keeps sessions that were only viewed; the rows that were bought are in both.
    await load(events)
    const job = await transform('2019-10-01', '2019-10-02')
    assert.equal(job.status.state, 'DONE', job.status.detail ?? '')
    const expected = new Map(
      lines(await readFile(join(DATA, 'events/variant_expected.csv'), 'utf8'))
        .slice(1)
        .map((line) => line.split(','))
        .map((row) => [`${row[0]} ${row[1]}`, row] as const),
    )
    const { rows } = await output()
    assert.equal(rows.length, [...expected.values()].filter((row) => row[5] === '1').length)
    for (const row of rows.map((line) => line.split(','))) {
      const other = expected.get(`${row[4]} ${row[0]}`) ?? []
      assert.deepEqual(
        [row[1], Number(row[2]), row[5], row[7], row[13], row[12]],
        [other[3], Number(other[4]), other[5], other[6], other[11], '1'],
      )
    }
  })

  it('fails when the interval has no events, and says so', async () => {
    await load(['2026-01-05 10:00:00 UTC,cart,1,,,,1.50,2,a'])
    const job = await transform('2026-01-12', '2026-01-19')
    assert.equal(job.status.state, 'ERROR')
    assert.match(job.status.detail ?? '', /There are no events from 2026-01-12 to 2026-01-19/)
  })

  it('counts a Monday as day 0 and a Sunday as day 6, in UTC', async () => {
    await load(['2026-01-05 00:00:00 UTC,cart,1,,,,1.50,2,monday', '2026-01-11 23:59:59 UTC,cart,1,,,,1.50,3,sunday'])
    await transform('2026-01-05', '2026-01-12')
    assert.deepEqual(
      (await output()).rows.map((row) => row.split(',').slice(10, 13).join(' ')),
      ['0 0 0', '23 59 6'],
    )
  })

  it('keeps one row for a product that was put into the cart, put there again and bought', async () => {
    await load([
      '2026-01-05 10:00:00 UTC,view,1,,electronics.audio.headphone,sony,20.50,7,s1',
      '2026-01-05 10:01:00 UTC,cart,1,,electronics.audio.headphone,sony,20.50,7,s1',
      '2026-01-05 10:02:00 UTC,cart,1,,electronics.audio.headphone,sony,20.50,7,s1',
      '2026-01-05 10:05:30 UTC,purchase,1,,electronics.audio.headphone,sony,20.50,7,s1',
      '2026-01-05 10:05:40 UTC,view,2,,,,3.00,7,s1',
      '2026-01-05 10:06:00 UTC,view,2,,,,3.00,7,',
      '2026-01-06 09:00:00 UTC,purchase,1,,electronics.audio.headphone,sony,20.50,7,s2',
    ])
    const job = await transform('2026-01-05', '2026-01-12')
    assert.equal(job.status.state, 'DONE', job.status.detail ?? '')
    assert.deepEqual((await output()).rows, [
      '1,sony,20.5,7,s1,1,2,1,electronics,audio,10,1,0,340,0,0',
      '1,sony,20.5,7,s2,1,0,0,electronics,audio,9,0,1,0,1,1',
    ])
  })

  it('doubles quotes inside of a cell and keeps the spaces around it', async () => {
    const brands = ['"o""neil, "', '" \\"""']
    await load(brands.map((brand, i) => `2026-01-05 10:00:0${i} UTC,cart,1,,,${brand},20.50,7,s${i}`))
    const job = await transform('2026-01-05', '2026-01-12')
    assert.equal(job.status.state, 'DONE', job.status.detail ?? '')
    const { rows } = await output()
    assert.deepEqual(
      rows.map((row) => row.slice(2, row.indexOf(',20.5'))),
      brands,
    )
  })

  it('finds the published shares in generated events: 6 % of sessions buy, 78 % of carts', async () => {
    const file = join(directory, 'generated.csv')
    const options = { file, events: 200_000, from: new Date('2026-01-05T00:00:00Z'), weeks: 2, seed: 5 }
    const generated = await generateEvents(options)
    assert.equal(generated.events, 200_000)
    const conversion = generated.buyingSessions / generated.sessions
    assert.ok(conversion > 0.055 && conversion < 0.066, `conversion ${conversion}`)
    const first = await readFile(file)
    await generateEvents(options)
    assert.ok(first.equals(await readFile(file)), 'the same seed gives the same file')
    await local.warehouse.loadEvents(file, { replace: true })
    const range = await local.warehouse.eventRange()
    assert.ok(range && range.start >= options.from && range.end < new Date('2026-01-19T00:00:00Z'))
    const job = await transform('2026-01-05', '2026-01-12')
    assert.equal(job.status.state, 'DONE', job.status.detail ?? '')
    const { rows } = await output()
    const bought = rows.filter((row) => row.split(',')[5] === '1').length / rows.length
    assert.ok(bought > 0.74 && bought < 0.82, `bought ${bought}`)
  })
})
