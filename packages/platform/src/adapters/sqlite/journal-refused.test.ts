/** What the journal has taken and the tables refuse for good stands in nobody's way. */
import assert from 'node:assert/strict'
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { dag } from '@daggerboard/dag'
import { inlinePlatform } from '../../../test/inline-platform.ts'
import { silentLogger } from '../../core/logger.ts'
import { type Changes, type DagRun, moveRun, NO_CHANGES, scheduledRun } from '../../scheduling/dag-run.ts'
import { moveInstance, newTaskInstance, type TaskInstance } from '../../scheduling/task-instance.ts'
import { Database } from './database.ts'
import { Journal } from './journal.ts'
import { JournaledDagRunStore } from './journaled-dag-run.ts'
import { TableWriter } from './table-writer.ts'
import { SqliteTaskInstanceStore } from './task-instance.ts'

const NOW = new Date('2026-01-05T12:00:00Z')
const [WORK] = dag('daily', {}, ({ task }) => void task('work', async () => 1)).document.tasks
let folder: string
let said: string[]
const opened: Database[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'daggerboard-refused-'))
  said = []
})
afterEach(() => {
  for (const db of opened.splice(0)) db.close()
  rmSync(folder, { recursive: true, force: true })
})

function opening(file = 'platform.sqlite', hasWriter = false) {
  const db = new Database(join(folder, file))
  opened.push(db)
  const instances = new SqliteTaskInstanceStore(db)
  const logger = { ...silentLogger, error: (message: string) => void said.push(message) }
  const writer = new TableWriter(db.path)
  const runs = new JournaledDagRunStore(db, instances, new Journal(join(folder, 'turns.journal')), {
    ...(hasWriter && { writer, many: 1 }),
    logger,
  })
  if (hasWriter) writer.startNow()
  const refused = () =>
    db.all<{ run_id: string; error: string }>('SELECT run_id, error FROM journal_refused ORDER BY rowid').map((row) => ({ ...row }))
  const stateOf = async ({ runId }: TaskInstance) => (await instances.find('daily', runId, 'work'))?.state
  return { db, runs, refused, stateOf }
}

/** Runs whose one task is queued. */
async function begun(runs: JournaledDagRunStore, count: number): Promise<TaskInstance[]> {
  assert.ok(WORK)
  const task = WORK
  const created = Array.from({ length: count }, (_, hour): DagRun => {
    const start = new Date(Date.UTC(2026, 0, 5, hour))
    const due = { logicalDate: start, interval: { start, end: start }, runAfter: start }
    return moveRun(scheduledRun('daily', due, NOW), 'running', NOW)
  })
  const added = created.map((run) => moveInstance(moveInstance(newTaskInstance(run, task), 'scheduled', NOW), 'queued', NOW))
  await runs.record({ ...NO_CHANGES, created, added })
  return added
}

const moved = (...instances: TaskInstance[]): Changes => ({ ...NO_CHANGES, instances })
const running = (instance: TaskInstance) => moveInstance(instance, 'running', NOW)

/** A result whose key the table does not take. */
function poisoned(instance: TaskInstance): Changes {
  const { dagId, runId, taskId, mapIndex } = instance
  const xcom = { dagId, runId, taskId, mapIndex, key: null as never, value: 1, at: NOW.toISOString() }
  return { ...moved(moveInstance(running(instance), 'success', NOW)), xcoms: [xcom] }
}

const together = (...all: Changes[]): Changes => ({
  ...NO_CHANGES,
  instances: all.flatMap(({ instances }) => instances),
  xcoms: all.flatMap(({ xcoms }) => xcoms),
})

for (const hasWriter of [false, true])
  test(`what is refused is put aside, run by run, and everything else goes on, ${hasWriter ? 'also with' : 'without'} a thread`, async () => {
    const { runs, refused, stateOf } = opening('platform.sqlite', hasWriter)
    const [bad, good, other] = (await begun(runs, 3)) as [TaskInstance, TaskInstance, TaskInstance]
    await runs.record(moved(running(other)))
    await runs.record(together(poisoned(bad), moved(running(good))))
    await runs.record(moved(moveInstance(running(other), 'success', NOW)))
    assert.deepEqual(await Promise.all([bad, good, other].map(stateOf)), ['queued', 'running', 'success'])
    assert.deepEqual(refused(), [{ run_id: bad.runId, error: 'NOT NULL constraint failed: xcom.key' }])
    assert.equal(said.length, 1)
    assert.match(said[0] ?? '', new RegExp(`run "${bad.runId.replaceAll('+', '\\+')}" of DAG "daily" cannot be kept.*journal_refused`))
  })

test('what follows of a run of which something was refused is put aside with it, so that the run stays what it was', async () => {
  const { runs, refused, stateOf } = opening()
  const [bad] = (await begun(runs, 1)) as [TaskInstance]
  const change = poisoned(bad)
  await runs.record(change)
  await runs.record(moved(...change.instances.map((instance) => ({ ...instance, note: 'later', revision: instance.revision + 1 }))))
  assert.equal(await stateOf(bad), 'queued')
  assert.deepEqual(
    refused().map(({ error }) => error),
    ['NOT NULL constraint failed: xcom.key', 'It follows what was refused before.'],
  )
})

test('who keeps runs in mind has to read them again before anything else is recorded', async () => {
  const { runs, stateOf } = opening()
  const [bad, good] = (await begun(runs, 2)) as [TaskInstance, TaskInstance]
  await runs.record(poisoned(bad))
  assert.equal(await stateOf(bad), 'queued')
  assert.equal(runs.isBehind, true)
  await assert.rejects(
    runs.record(moved(running(good))),
    (error: Error) => runs.isOutage(error) && /have to be read again/.test(error.message),
  )
  assert.equal(await stateOf(good), 'queued')
  await runs.listUnfinished()
  assert.equal(runs.isBehind, false)
  await runs.record(moved(running(good), running(bad)))
  assert.deepEqual(await Promise.all([bad, good].map(stateOf)), ['running', 'running'])
})

test('from then on the tables answer at once for such a run', async () => {
  const { runs, stateOf } = opening()
  const [bad] = (await begun(runs, 1)) as [TaskInstance]
  await runs.record(poisoned(bad))
  await runs.listUnfinished()
  await assert.rejects(runs.record(poisoned(bad)), /NOT NULL constraint failed: xcom.key/)
  assert.equal(runs.isBehind, false)
  assert.equal(await stateOf(bad), 'queued')
})

test('what was made of a refused turn while that was noticed is not kept either', async () => {
  const { runs, stateOf, db } = opening()
  const [bad, good] = (await begun(runs, 2)) as [TaskInstance, TaskInstance]
  await runs.record(poisoned(bad))
  const underWay = runs.record(moved(running(good)))
  assert.equal(db.get<{ n: number }>('SELECT count(*) AS n FROM journal_refused')?.n, 1)
  await assert.rejects(underWay, /have to be read again/)
  assert.equal(await stateOf(good), 'queued')
})

test('at a start it is put aside as well', async () => {
  const first = opening()
  const [bad, good] = (await begun(first.runs, 2)) as [TaskInstance, TaskInstance]
  first.db.all('PRAGMA wal_checkpoint(TRUNCATE)')
  copyFileSync(first.db.path, join(folder, 'before.sqlite'))
  await first.runs.record(poisoned(bad))
  await first.runs.record(moved(running(good)))
  const later = opening('before.sqlite')
  assert.deepEqual(await Promise.all([bad, good].map(later.stateOf)), ['queued', 'running'])
  assert.deepEqual(
    later.refused().map(({ run_id }) => run_id),
    [bad.runId],
  )
  await later.runs.listUnfinished()
  await later.runs.record(moved(running(bad)))
})

test('tables that take nothing at all are no reason to put anything aside', async () => {
  const { db, runs, stateOf } = opening()
  const [good] = (await begun(runs, 1)) as [TaskInstance]
  db.migrate('ALTER TABLE task_instance RENAME TO elsewhere')
  await runs.record(moved(running(good)))
  await assert.rejects(stateOf(good), /no such table/)
  db.migrate('ALTER TABLE elsewhere RENAME TO task_instance')
  assert.equal(await stateOf(good), 'running')
  assert.equal(runs.isBehind, false)
})

test('a task whose answer is refused has failed in the end, and what runs beside it comes to its end as ever', async () => {
  const db = new Database(join(folder, 'scheduled.sqlite'))
  opened.push(db)
  const logger = { ...silentLogger, error: (message: string) => void said.push(message) }
  const runs = new JournaledDagRunStore(db, new SqliteTaskInstanceStore(db), new Journal(join(folder, 'turns.journal')), { logger })
  const platform = inlinePlatform({ db, runs, task: ({ taskId }) => taskId })
  db.migrate(`CREATE TRIGGER refusing BEFORE INSERT ON xcom WHEN new.task_id = 'bad' BEGIN SELECT RAISE(ABORT, 'Not for me.'); END`)
  const chain = (dagId: string, first: string) =>
    dag(dagId, {}, ({ task }) => void task('after', async () => 2).after(task(first, async () => 1))).document
  await platform.save(chain('ill', 'bad'))
  await platform.save(chain('well', 'good'))
  const ill = await platform.scheduler.trigger('ill', {}, 'user:ann')
  const well = await platform.scheduler.trigger('well', {}, 'user:ann')
  for (let i = 0; i < 30; i++) {
    await platform.settle()
    // What comes to the tables by itself a moment later.
    runs.settle()
    platform.clock.advance(1_000)
  }
  assert.deepEqual(await platform.states('well', well.runId), { run: 'success', good: 'success', after: 'success' })
  assert.deepEqual(await platform.states('ill', ill.runId), { run: 'failed', bad: 'failed', after: 'upstream_failed' })
  assert.equal(said.length, 1)
})
