import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Database } from '../adapters/sqlite/database.ts'
import { SqliteEventLog } from '../adapters/sqlite/event-log.ts'
import { SqliteTaskLogs } from '../adapters/sqlite/task-log.ts'
import { ManualClock } from '../core/clock.ts'
import { silentLogger } from '../core/logger.ts'
import { LogRetention } from './log-retention.ts'

const DAY_MS = 86_400_000

function made() {
  const clock = new ManualClock('2026-01-01T00:00:00Z')
  const db = new Database(':memory:')
  const eventLog = new SqliteEventLog(db)
  const logs = new SqliteTaskLogs({ db, clock, mask: (text) => text })
  const say = async (runId: string) => {
    const log = logs.open({ dagId: 'd', runId, taskId: 't', tryNumber: 1 })
    log.write(`of ${runId}\n`)
    log.close()
    logs.flush()
    const names = { dagId: null, runId, taskId: null, mapIndex: null, tryNumber: null, logicalDate: null, extra: null }
    await eventLog.append({ at: clock.now().toISOString(), event: 'say', owner: 'me', ...names })
  }
  const told = async () => ({
    events: (await eventLog.list({ limit: 9999, offset: 0, sort: [] })).entries.map(({ runId }) => runId),
    logs: [
      await logs.read({ dagId: 'd', runId: 'old', taskId: 't', tryNumber: 1 }),
      await logs.read({ dagId: 'd', runId: 'new', taskId: 't', tryNumber: 1 }),
    ],
  })
  const retention = new LogRetention({
    logs: { 'task logs': logs, 'event log': eventLog },
    retentionSeconds: 30 * 86_400,
    clock,
    logger: silentLogger,
  })
  return { clock, say, told, retention, eventLog }
}

test('what is older than the settings say is deleted once a day, and nothing else', async () => {
  const { clock, say, told, retention } = made()
  await say('old')
  clock.advance(30 * DAY_MS - 1000)
  await say('new')
  await retention.start()
  await new Promise(setImmediate)
  assert.deepEqual((await told()).events, ['old', 'new'])
  for (let turn = 0; turn < 10; turn += 1) {
    clock.advance(DAY_MS / 5)
    await new Promise(setImmediate)
  }
  const { events, logs } = await told()
  assert.deepEqual(events, ['new'])
  assert.equal(logs[0], null)
  assert.match(logs[1] ?? '', /of new/)
  await retention.stop()
})

test('a long log is deleted a little at a time, and a platform that stops does not wait for the rest', async () => {
  const { clock, say, retention, eventLog } = made()
  for (let i = 0; i < 2500; i += 1) await say(`r${i}`)
  clock.advance(31 * DAY_MS)
  const sweeping = retention.sweep()
  await new Promise(setImmediate)
  await retention.stop()
  await sweeping
  const { total } = await eventLog.list({ limit: 1, offset: 0, sort: [] })
  assert.ok(total > 0)
})
