import assert from 'node:assert/strict'
import { it } from 'node:test'
import { Database } from '../adapters/sqlite/database.ts'
import { SqliteRefreshStore } from '../adapters/sqlite/refresh.ts'
import { ManualClock } from '../core/clock.ts'
import { Events } from '../core/events.ts'
import type { Refresh, RefreshStore } from './refresh.ts'
import { RefreshLog } from './refresh-log.ts'

const clock = new ManualClock('2026-05-11T05:00:00Z')

function platform(store: RefreshStore, keep = 200, onError = (error: unknown): void => assert.fail(String(error))) {
  const events = new Events(clock, (error) => assert.fail(String(error)))
  const log = new RefreshLog({ store, events, clock, keep, onError })
  const build = (buildId: string, status: string) => {
    const at = clock.now().toISOString()
    const source = { repository: 'purchase_predict', branch: 'staging', commitSha: null, trigger: null }
    const finishedAt = status === 'SUCCESS' ? at : null
    events.emit('build.changed', 'user:ann', {
      buildId,
      status,
      detail: null,
      ...source,
      createdAt: at,
      startedAt: at,
      finishedAt,
      steps: [],
    })
  }
  return { events, log, build }
}

it('an unfinished refresh goes on where it was after a restart', async () => {
  const store = new SqliteRefreshStore(new Database(':memory:'))
  const first = platform(store)
  await first.log.start()
  first.build('b', 'WORKING')
  await first.log.stop()

  const second = platform(store)
  await second.log.start()
  assert.equal(second.log.find('b')?.state, 'running')
  const told: Refresh[] = []
  second.log.subscribe((refresh) => told.push(refresh))
  second.build('b', 'SUCCESS')
  assert.deepEqual(
    told.map(({ state }) => state),
    ['success'],
  )
  await second.log.stop()
  assert.deepEqual(
    (await store.list(10)).map(({ id, state }) => [id, state]),
    [['b', 'success']],
  )
})

it('a running refresh is saved once per pause and an ended one at once', async () => {
  const saved: string[] = []
  const waiting: (() => void)[] = []
  const store: RefreshStore = {
    list: async () => [],
    delete: async () => {},
    save: async ({ state }) => {
      saved.push(state)
      for (const wake of waiting.splice(0)) wake()
    },
  }
  const nextSave = () => new Promise<void>((resolve) => waiting.push(resolve))
  const { log, build } = platform(store)
  await log.start()
  for (let i = 0; i < 5; i++) build('b', 'WORKING')
  assert.deepEqual(saved, [])
  const paused = nextSave()
  clock.advance(250)
  await paused
  assert.deepEqual(saved, ['running'])
  const ended = nextSave()
  build('b', 'SUCCESS')
  await ended
  assert.deepEqual(saved, ['running', 'success'])
  await log.stop()
})

it('only the newest are kept', async () => {
  const store = new SqliteRefreshStore(new Database(':memory:'))
  const { log, build } = platform(store, 2)
  await log.start()
  for (const id of ['a', 'b', 'c']) build(id, 'SUCCESS')
  await log.stop()
  assert.deepEqual(
    log.list(10).map(({ id }) => id),
    ['c', 'b'],
  )
  assert.deepEqual(
    (await store.list(10)).map(({ id }) => id),
    ['c', 'b'],
  )
})

it('one that could not be deleted is deleted the next time', async () => {
  const store = new SqliteRefreshStore(new Database(':memory:'))
  const works = store.delete.bind(store)
  store.delete = async () => {
    store.delete = works
    throw new Error('disk I/O error')
  }
  const failures: unknown[] = []
  const { log, build } = platform(store, 2, (error) => failures.push(error))
  await log.start()
  for (const id of ['a', 'b', 'c', 'd']) build(id, 'SUCCESS')
  await log.stop()
  assert.equal(failures.length, 1)
  assert.deepEqual(
    (await store.list(10)).map(({ id }) => id),
    ['d', 'c'],
  )
})
