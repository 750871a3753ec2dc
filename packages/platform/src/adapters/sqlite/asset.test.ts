import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AssetDocument } from '@daggerboard/dag'
import type { AssetEvent } from '../../scheduling/asset.ts'
import { SqliteAssetStore } from './asset.ts'
import { Database } from './database.ts'

const asset = (name: string, facts: Partial<AssetDocument> = {}): AssetDocument => ({
  name,
  uri: `s3://${name}`,
  group: 'asset',
  extra: {},
  ...facts,
})

const event = (id: number, assetId: number, facts: Partial<AssetEvent> = {}): AssetEvent => ({
  id,
  assetId,
  name: assetId === 1 ? 'wind' : 'prices',
  uri: assetId === 1 ? 's3://wind' : 's3://prices',
  group: 'asset',
  extra: { rows: id },
  at: `2024-01-0${id}T00:00:00.000Z`,
  source: { dagId: 'load', runId: 'r1', taskId: 'save', mapIndex: -1 },
  createdBy: 'system',
  aliases: [],
  ...facts,
})

async function withAssets() {
  const store = new SqliteAssetStore(new Database(':memory:'))
  await store.sync([asset('wind'), asset('prices')], '2024-01-01')
  return store
}

test('assets are those that the files name; one that nobody names any more is kept, not active', async () => {
  const store = await withAssets()
  await store.sync([asset('wind', { extra: { owner: 'ann' } })], '2024-01-02')
  const shown = (await store.list()).map(({ name, isActive, updatedAt, createdAt }) => [name, isActive, createdAt, updatedAt])
  assert.deepEqual(shown, [
    ['prices', false, '2024-01-01', '2024-01-02'],
    ['wind', true, '2024-01-01', '2024-01-02'],
  ])
  assert.deepEqual((await store.findByName('wind'))?.extra, { owner: 'ann' })
  await store.sync([asset('wind', { extra: { owner: 'ann' } }), asset('prices')], '2024-01-03')
  assert.deepEqual(
    (await store.list()).map(({ isActive }) => isActive),
    [true, true],
  )
  assert.equal((await store.findByName('wind'))?.updatedAt, '2024-01-02', 'what has not changed is not written')
})

test('an asset that a task names while it runs is made, and stays as long as it stands behind an alias', async () => {
  const store = await withAssets()
  const [wind, hub] = await store.ensure([asset('wind', { uri: 'other' }), asset('hub')], '2024-01-02')
  assert.deepEqual([wind?.id, wind?.uri, hub?.isActive], [1, 's3://wind', true])
  store.putEvent(event(1, hub?.id ?? 0, { aliases: ['raw'] }))
  await store.sync([], '2024-01-03')
  assert.deepEqual(
    (await store.list()).filter(({ isActive }) => isActive).map(({ name }) => name),
    ['hub'],
  )
  assert.deepEqual(await store.aliasMembers(), new Map([['raw', new Set(['hub'])]]))
})

test('events are found by asset, by the task that made them, and by time', async () => {
  const store = await withAssets()
  store.putEvent(event(1, 1))
  store.putEvent(event(2, 2, { source: null, createdBy: 'ann' }))
  store.putEvent(event(3, 1, { source: { dagId: 'load', runId: 'r2', taskId: 'save', mapIndex: 4 } }))
  const ids = async (query: Partial<Parameters<SqliteAssetStore['events']>[0]>) =>
    (await store.events({ limit: 10, offset: 0, descending: false, ...query })).events.map(({ id }) => id)
  assert.deepEqual(await ids({}), [1, 2, 3])
  assert.deepEqual(await ids({ assetId: 1, descending: true }), [3, 1])
  assert.deepEqual(await ids({ dagId: 'load', runId: 'r2', taskId: 'save', mapIndex: 4 }), [3])
  assert.deepEqual(await ids({ after: '2024-01-02T00:00:00.000Z', before: '2024-01-02T00:00:00.000Z' }), [2])
  assert.deepEqual((await store.events({ limit: 1, offset: 1, descending: false })).events, [
    event(2, 2, { source: null, createdBy: 'ann' }),
  ])
  assert.equal(await store.lastEventId(), 3)
  assert.throws(() => store.putEvent(event(3, 1)), { code: 'conflict' })
})

test('an event waits for its run, is consumed by it, and is found there again', async () => {
  const store = await withAssets()
  for (const id of [1, 2]) {
    store.putEvent(event(id, id))
    for (const dagId of ['train', 'report']) store.putQueued({ dagId, assetId: id, eventId: id, at: event(id, id).at })
  }
  const waiting = await store.queued({ dagId: 'train' })
  assert.deepEqual(
    waiting.map(({ eventId }) => eventId),
    [1, 2],
  )
  store.consume({ dagId: 'train', runId: 'a1' }, waiting)
  assert.deepEqual(await store.queued({ dagId: 'train' }), [])
  assert.deepEqual(
    (await store.eventsOfRun('train', 'a1')).map(({ id }) => id),
    [1, 2],
  )
  assert.deepEqual(
    (await store.queued({ assetId: 2 })).map(({ dagId }) => dagId),
    ['report'],
  )
  assert.equal(await store.deleteQueued({ dagId: 'report', before: '2024-01-02T00:00:00.000Z' }), 1)
  await store.deleteOfDag('report')
  assert.deepEqual(await store.queued({}), [])
})

test('what is written with a turn that fails is not there', async () => {
  const db = new Database(':memory:')
  const store = new SqliteAssetStore(db)
  await store.sync([asset('wind')], '2024-01-01')
  assert.throws(() =>
    db.transaction(() => {
      store.putEvent(event(1, 1))
      store.putQueued({ dagId: 'train', assetId: 1, eventId: 1, at: '' })
      throw new Error('the turn fails')
    }),
  )
  assert.equal(await store.lastEventId(), 0)
  assert.deepEqual(await store.queued({}), [])
})
