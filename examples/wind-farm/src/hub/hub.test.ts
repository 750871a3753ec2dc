import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { readTurbineCsv } from '../features/turbine-table.ts'
import { COLUMNS } from '../signals.ts'
import { ownFolder } from '../testing-data.ts'
import { EngieHub } from './engie-hub.ts'
import { fetchData } from './fetch-data.ts'
import { makeLatestData } from './latest-data.ts'
import { startStandIn } from './stand-in.ts'

const START = new Date('2026-01-05T00:00:00Z')
const hours = (count: number): Date => new Date(START.getTime() + count * 3_600_000)

async function standIn(t: TestContext): Promise<EngieHub> {
  const { endpoint, close } = await startStandIn({ now: () => new Date('2026-02-01') })
  t.after(close)
  return new EngieHub({ endpoint })
}

async function serverOf(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

test('a stretch of time is brought into a file that features can be made of', async (t) => {
  const hub = await standIn(t)
  const dataPath = join(await ownFolder(t), 'data.csv')
  assert.equal(await fetchData({ hub, dataPath, start: START, end: hours(8 * 24) }), 4 * 8 * 144)
  const table = await readTurbineCsv(dataPath, { target: true })
  assert.equal(table.rows, 4 * 8 * 144)
  assert.equal(new Set(Array.from(table.time, (time, row) => `${time} ${table.turbine[row]}`)).size, table.rows)
  assert.equal(Math.max(...table.time), hours(8 * 24).getTime() - 600_000)
})

test('stretches that follow each other have no row in common, and the same one has the same rows', async (t) => {
  const hub = await standIn(t)
  const ask = (from: number, to: number) => hub.rows({ turbine: 'R80711', start: hours(from), end: hours(to) })
  const whole = await ask(0, 4)
  assert.equal(whole.length, 24)
  assert.deepEqual(whole, [...(await ask(0, 1)), ...(await ask(1, 4))])
  assert.equal(whole[0]?.length, COLUMNS.length)
})

test('when there is nothing new, there is no file', async (t) => {
  const dataPath = join(await ownFolder(t), 'data.csv')
  const later = new Date('2026-03-01')
  assert.equal(await fetchData({ hub: await standIn(t), dataPath, start: later, end: new Date(later.getTime() + 3_600_000) }), 0)
  assert.ok(!existsSync(dataPath))
})

test('a busy hub is asked again, one that refuses is not, and neither leaves a file behind', async (t) => {
  const answers = [503, 200, 403]
  const seen: (string | undefined)[] = []
  const endpoint = await serverOf(t, ({ headers }, response) => {
    seen.push(headers.authorization)
    response.writeHead(answers.shift() ?? 500).end('[]')
  })
  const hub = new EngieHub({ endpoint, apiKey: 'k3y' }, { firstRestMs: 1 })
  const query = { turbine: 'R80711', start: START, end: hours(1) }
  assert.deepEqual(await hub.rows(query), [])
  const dataPath = join(await ownFolder(t), 'data.csv')
  await assert.rejects(fetchData({ hub, dataPath, start: START, end: hours(1) }), /answered 403/)
  assert.ok(!existsSync(dataPath))
  assert.deepEqual(seen, Array(3).fill('Apikey k3y'))
})

test('a hub that is away is told with its address', async () => {
  const hub = new EngieHub({ endpoint: 'http://127.0.0.1:9' }, { firstRestMs: 1 })
  await assert.rejects(hub.rows({ turbine: 'R80711', start: START, end: hours(1) }), /127\.0\.0\.1:9 cannot be reached/)
})

test('nothing but a plain name becomes part of a condition, and nothing but a web address is asked', async () => {
  const hub = new EngieHub({ endpoint: 'http://127.0.0.1:9' })
  await assert.rejects(hub.rows({ turbine: 'A" or 1=1', start: START, end: hours(1) }), /is no name of a turbine/)
  assert.throws(
    () => new EngieHub({ endpoint: 'file:///etc/passwd', dataset: '../x' }),
    /is no http or https address\. "\.\.\/x" is no name/,
  )
})

test('rows of another turbine, or not of a list, are refused', async (t) => {
  const bodies = ['{"message": "moved"}', '[{"wind_turbine_name": "R80790", "date_time": "2026-01-05T00:00:00Z"}]']
  const hub = new EngieHub({ endpoint: await serverOf(t, (_, response) => response.end(bodies.shift())) })
  const query = { turbine: 'R80711', start: START, end: hours(1) }
  await assert.rejects(hub.rows(query), /did not answer a list/)
  await assert.rejects(hub.rows(query), /not of turbine R80711/)
})

test('what is brought of the past, by a backfill or again, is not the latest', async (t) => {
  const folder = await ownFolder(t)
  const hub = await standIn(t)
  const bring = async (name: string, from: number, to: number): Promise<boolean> => {
    await fetchData({ hub, dataPath: join(folder, name), start: hours(from), end: hours(to) })
    return makeLatestData(join(folder, name), latest)
  }
  const latest = join(folder, 'latest.csv')
  const isLatest = async (name: string) => (await readFile(latest, 'utf8')) === (await readFile(join(folder, name), 'utf8'))
  assert.ok(await bring('now.csv', 10, 12))
  assert.ok(!(await bring('past.csv', 1, 2)))
  assert.ok(await isLatest('now.csv'))
  assert.ok(await bring('again.csv', 11, 12))
  assert.ok(await isLatest('again.csv'))
})
