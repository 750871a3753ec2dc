import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Backfill } from '../../scheduling/backfill.ts'
import { SqliteBackfillStore } from './backfill.ts'
import { Database } from './database.ts'

const AT = '2024-02-01T00:00:00.000Z'

const backfill = (dagId: string): Omit<Backfill, 'id'> => ({
  dagId,
  from: '2024-01-01T00:00:00.000Z',
  to: '2024-01-03T00:00:00.000Z',
  reprocess: 'failed',
  maxActiveRuns: 3,
  isBackwards: true,
  conf: { x: 1 },
  tasks: ['train'],
  isPaused: false,
  createdBy: 'ann',
  createdAt: AT,
  updatedAt: AT,
  completedAt: null,
})

const dates = ['2024-01-03', '2024-01-02', '2024-01-01'].map((day, i) => ({
  ordinal: i + 1,
  logicalDate: `${day}T00:00:00.000Z`,
  runId: null,
  exceptionReason: i === 1 ? ('already exists' as const) : null,
}))

test('a backfill is found as it was made, with its dates in their order', async () => {
  const store = new SqliteBackfillStore(new Database(':memory:'))
  const id = await store.create(backfill('wind'), dates)
  assert.deepEqual(await store.find(id), { id, ...backfill('wind') })
  assert.deepEqual(
    await store.dates(id),
    dates.map((date) => ({ backfillId: id, ...date })),
  )
  assert.equal(await store.find(99), null)
})

test('a date that has got its run, or never gets one, is no longer open', async () => {
  const store = new SqliteBackfillStore(new Database(':memory:'))
  const id = await store.create(backfill('wind'), dates)
  const open = async () => {
    const { dates: found, total } = await store.openDates(id, 1)
    return [found.map(({ ordinal }) => ordinal), total]
  }
  assert.deepEqual(await open(), [[1], 2])
  const [first, , third] = await store.dates(id)
  if (first && third) {
    await store.updateDate({ ...first, runId: 'backfill__1' })
    assert.deepEqual(await open(), [[3], 1])
    await store.updateDate({ ...third, exceptionReason: 'in flight' })
  }
  assert.deepEqual(await open(), [[], 0])
  assert.equal((await store.dates(id))[0]?.runId, 'backfill__1')
})

test('backfills are listed newest first, by DAG, and by whether they are through', async () => {
  const store = new SqliteBackfillStore(new Database(':memory:'))
  const ids = [
    await store.create(backfill('wind'), []),
    await store.create(backfill('solar'), []),
    await store.create(backfill('wind'), []),
  ]
  const [first] = ids
  const known = await store.find(first as number)
  if (known) await store.update({ ...known, isPaused: true, completedAt: AT, updatedAt: AT })
  const listed = async (query: { dagId?: string; isActive?: boolean }) =>
    (await store.list({ ...query, limit: 10, offset: 0 })).backfills.map(({ id }) => id)
  assert.deepEqual(await listed({}), [3, 2, 1])
  assert.deepEqual(await listed({ dagId: 'wind', isActive: true }), [3])
  assert.deepEqual(await listed({ isActive: false }), [1])
  assert.deepEqual(
    (await store.listActive()).map(({ id }) => id),
    [2, 3],
  )
  assert.equal((await store.list({ limit: 1, offset: 1 })).total, 3)
  await store.deleteOfDag('wind')
  assert.deepEqual(await listed({}), [2])
})

test('changing what is not there says so', async () => {
  const store = new SqliteBackfillStore(new Database(':memory:'))
  await assert.rejects(store.update({ id: 5, ...backfill('wind') }), { code: 'not_found' })
  await assert.rejects(store.updateDate({ backfillId: 5, ordinal: 1, logicalDate: AT, runId: null, exceptionReason: null }), {
    code: 'not_found',
  })
})
