import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { EngineProcess } from '../adapters/duckdb/engine-process.ts'
import { DuckDbTableStore } from '../adapters/duckdb/table.ts'
import type { AppError } from '../core/app-error.ts'
import { systemClock } from '../core/clock.ts'
import { EVENT_COLUMNS, EVENT_HEADER } from './event.ts'
import { parseFilter } from './filter.ts'
import { Warehouse } from './warehouse.ts'

const VIEW = '2019-10-01 00:00:00 UTC,view,44600062,2103807459595387724,,shiseido,35.79,541312140,72d76fde'
const BUY = '2019-10-02 00:00:00 UTC,purchase,3900821,2053013552326770905,appliances,aqua,33.20,554748717,'

describe('the warehouse', () => {
  let directory: string
  let engine: EngineProcess
  let warehouse: Warehouse

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'warehouse-'))
    engine = new EngineProcess({ name: 'The warehouse', clock: systemClock, path: join(directory, 'warehouse.duckdb') })
    warehouse = new Warehouse({ tables: new DuckDbTableStore(engine) })
  })
  after(async () => {
    await engine.stop()
    await rm(directory, { recursive: true, force: true })
  })

  async function load(lines: string[], { name = 'events.csv', replace = true } = {}): Promise<number> {
    const file = join(directory, name)
    const text = `${lines.join('\n')}\n`
    await writeFile(file, name.endsWith('.gz') ? gzipSync(text) : text)
    return warehouse.loadEvents(file, { replace })
  }
  const refusal = async (lines: string[]): Promise<AppError> => {
    const error = await load(lines).then(
      () => null,
      (problem: AppError) => problem,
    )
    assert.equal(error?.code, 'invalid')
    return error as AppError
  }

  it('loads events, plain or compressed, beside or instead of those that are there, and keeps them through a restart', async () => {
    assert.equal(await load([EVENT_HEADER, VIEW, BUY], { name: 'events.csv.gz' }), 2)
    assert.equal(await load([EVENT_HEADER, VIEW], { replace: false }), 1)
    await engine.stop()
    assert.equal(await warehouse.countEvents(), 3)
    assert.equal(await warehouse.countEvents({ start: new Date('2019-10-02T00:00:00Z'), end: new Date('2019-10-03T00:00:00Z') }), 1)
    assert.deepEqual(await warehouse.eventRange(), { start: new Date('2019-10-01T00:00:00Z'), end: new Date('2019-10-02T00:00:00Z') })
    assert.equal(await load([EVENT_HEADER, BUY]), 1)
    assert.equal(await warehouse.countEvents(), 1)
  })

  it('names every bad value with its line and column, and loads nothing', async () => {
    const error = await refusal([EVENT_HEADER, VIEW, '2019-10-01,vew,x,1,,,1.5,7,s', '2019-10-01 00:00:00 UTC,view,5,1,,,NaN,,s'])
    assert.deepEqual(error.problems, [
      'Line 3, column "event_time": "2019-10-01" does not fit; write a time in UTC, such as 2019-10-01 00:00:00 UTC.',
      'Line 3, column "event_type": "vew" does not fit; write one of view, cart, purchase, remove_from_cart.',
      'Line 3, column "product_id": "x" does not fit; write a whole number, such as 1004856.',
      'Line 4, column "price": "NaN" does not fit; write a number, such as 130.76.',
      'Line 4, column "user_id": the value is empty; write a whole number, such as 1004856.',
    ])
    assert.equal(await warehouse.countEvents(), 1)
  })

  it('says which column of a header is wrong, and which was meant', async () => {
    const error = await refusal([EVENT_HEADER.replace('price', 'prise')])
    assert.deepEqual(error.problems, ['Column "price" is missing.', 'Column "prise" is not known. Did you mean "price"?'])
  })

  it('refuses a file without a header, and gives the line to put in front', async () => {
    assert.match((await refusal([VIEW, BUY])).message, /has no header line.*The first line must be: event_time,event_type/)
  })

  it('names the line that has too few columns', async () => {
    assert.match(
      (await refusal([EVENT_HEADER, VIEW, '2019-10-01 00:00:00 UTC,view,5'])).problems[0] ?? '',
      /Line 3 is not CSV of 9 columns/,
    )
  })

  it('says that a file is not there, or is not gzip', async () => {
    await assert.rejects(warehouse.loadEvents(join(directory, 'no.csv')), { code: 'not_found' })
    await writeFile(join(directory, 'plain.csv.gz'), EVENT_HEADER)
    await assert.rejects(warehouse.loadEvents(join(directory, 'plain.csv.gz')), /is not a gzip file/)
  })

  it('lets a filter compare columns with literals, and do nothing else', async () => {
    assert.equal(
      parseFilter("event_time >= '2019-10-01' AND (price > 1.5 OR `brand` IN (\"a'b\", 'c'))", EVENT_COLUMNS),
      `"event_time" >= '2019-10-01' AND ( "price" > 1.5 OR "brand" IN ( 'a''b' , 'c' ) )`,
    )
    for (const filter of [
      '',
      "1=1) TO '/tmp/x' --",
      'price > 1; DROP TABLE x',
      'price > (SELECT 1)',
      "length('a') > 1",
      "brand = 'a\\' OR 1=1",
      '(price > 1',
    ])
      assert.throws(() => parseFilter(filter, EVENT_COLUMNS), { code: 'invalid' }, filter)
    await assert.rejects(warehouse.exportSlice('shop.event', null, join(directory, 'x.parquet')), { code: 'not_found' })
  })

  it('interrupts a statement that is aborted, and survives the death of its engine', async () => {
    const endless = 'SELECT count(*) FROM range(100000000) a, range(100000) b'
    const controller = new AbortController()
    const work = engine.run(endless, { signal: controller.signal, onProgress: () => controller.abort(new Error('enough')) })
    const timer = setTimeout(() => controller.abort(new Error('enough')), 500)
    await assert.rejects(work, /enough/)
    clearTimeout(timer)
    // An interruption that comes before the statement has begun counts as well.
    for (let turn = 0; turn < 10; turn++) {
      const early = new AbortController()
      const begun = engine.run(endless, { signal: early.signal, session: `early-${turn}` })
      setImmediate(() => early.abort(new Error('at once')))
      await assert.rejects(begun, /at once/)
    }
    const dying = engine.run(endless)
    await engine.start()
    process.kill(engine.processId ?? 0, 'SIGKILL')
    await assert.rejects(dying, { code: 'unavailable' })
    assert.equal(await warehouse.countEvents(), 1)
  })

  it('gets its file back when the platform before it was killed in the middle of a statement', async () => {
    const path = join(directory, 'killed.duckdb')
    const module = new URL('../adapters/duckdb/engine-process.ts', import.meta.url)
    const script = `
      const { EngineProcess } = await import('${module}')
      const engine = new EngineProcess({ name: 'old', path: ${JSON.stringify(path)}, clock: { now: () => new Date(), sleep: async () => {} } })
      await engine.start()
      const work = engine.run('SELECT count(*) FROM range(100000000) a, range(100000) b', { onProgress: () => {} })
      process.stdout.write('running')
      await work`
    const old = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
    await once(old.stdout, 'data')
    old.kill('SIGKILL')
    const next = new EngineProcess({ name: 'new', path, clock: systemClock })
    await next.run('CREATE TABLE t AS SELECT 1')
    await next.stop()
  })
})
