import assert from 'node:assert/strict'
import { copyFile, mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { dag } from '@daggerboard/dag'
import { type Changes, type DagRun, moveRun, NO_CHANGES, scheduledRun } from '../../scheduling/dag-run.ts'
import { moveInstance, newTaskInstance, type TaskInstance } from '../../scheduling/task-instance.ts'
import { Database } from './database.ts'
import { Journal } from './journal.ts'
import { JournaledDagRunStore } from './journaled-dag-run.ts'
import { SqliteTaskInstanceStore } from './task-instance.ts'
import { SqliteXComStore } from './xcom.ts'

const NOW = new Date('2026-01-05T12:00:00Z')
let folder: string
let file: string
let journalFile: string
const opened: Database[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'daggerboard-journal-'))
  file = join(folder, 'store.sqlite')
  journalFile = join(folder, 'turns.journal')
})
afterEach(async () => {
  for (const db of opened.splice(0)) db.close()
  await rm(folder, { recursive: true, force: true })
})

function opening(path = file, bytes?: number) {
  const db = new Database(path)
  opened.push(db)
  const instances = new SqliteTaskInstanceStore(db)
  const runs = new JournaledDagRunStore(db, instances, new Journal(journalFile, bytes))
  return { db, instances, runs, xcoms: new SqliteXComStore(db) }
}

/** A run whose one task is queued, in the tables. */
async function begun(runs: JournaledDagRunStore, hour = 0): Promise<{ run: DagRun; instance: TaskInstance }> {
  const start = new Date(Date.UTC(2026, 0, 5, hour))
  const interval = { start, end: new Date(start.getTime() + 3_600_000) }
  const run = moveRun(scheduledRun('daily', { logicalDate: start, interval, runAfter: interval.end }, NOW), 'running', NOW)
  const [task] = dag('daily', {}, ({ task }) => void task('work', async () => 1)).document.tasks
  assert.ok(task)
  const none = newTaskInstance(run, task)
  const instance = moveInstance(moveInstance(none, 'scheduled', NOW), 'queued', NOW, { attemptId: 'a', tryNumber: 1 })
  await runs.record({ ...NO_CHANGES, created: [run], added: [instance] })
  return { run, instance }
}

const succeeded = (instance: TaskInstance, output: unknown): Changes => {
  const { dagId, runId, taskId, mapIndex } = instance
  const ended = moveInstance(moveInstance(instance, 'running', NOW), 'success', NOW)
  const xcom = { dagId, runId, taskId, mapIndex, key: 'return_value', value: output, at: NOW.toISOString() }
  return { ...NO_CHANGES, instances: [ended], xcoms: [xcom] }
}

test('what a turn has recorded is read at once', async () => {
  const { runs, instances, xcoms } = opening()
  const { instance } = await begun(runs)
  await runs.record(succeeded(instance, 42))
  assert.equal((await instances.find('daily', instance.runId, 'work'))?.state, 'success')
  assert.equal((await xcoms.find('daily', instance.runId, 'work', 'return_value'))?.value, 42)
})

test('what was recorded is there after an end that left it in the journal alone', async () => {
  const { runs, instance } = await (async () => {
    const opened = opening()
    return { ...opened, ...(await begun(opened.runs)) }
  })()
  opened[0]?.all('PRAGMA wal_checkpoint(TRUNCATE)')
  const before = join(folder, 'before.sqlite')
  await copyFile(file, before)
  await runs.record(succeeded(instance, 42))
  // The tables as they were before, as if the power had failed, and the journal as it is.
  const later = opening(before)
  assert.equal((await later.instances.find('daily', instance.runId, 'work'))?.state, 'success')
  assert.equal((await later.xcoms.find('daily', instance.runId, 'work', 'return_value'))?.value, 42)
})

test('an entry that was torn by the end is left out, with all that stood before it kept', async () => {
  const { runs, db } = opening()
  const first = await begun(runs, 0)
  const second = await begun(runs, 1)
  db.all('PRAGMA wal_checkpoint(TRUNCATE)')
  const before = join(folder, 'before.sqlite')
  await copyFile(file, before)
  await runs.record(succeeded(first.instance, 1))
  const written = await open(journalFile)
  const length = (await written.read({ length: 4, buffer: Buffer.alloc(4) })).buffer.readUInt32LE(0) + 16
  await written.close()
  await runs.record(succeeded(second.instance, 2))
  const journal = await open(journalFile, 'r+')
  await journal.write('torn', length + 40)
  await journal.close()
  const later = opening(before)
  assert.equal((await later.instances.find('daily', first.instance.runId, 'work'))?.state, 'success')
  assert.equal((await later.instances.find('daily', second.instance.runId, 'work'))?.state, 'queued')
})

test('a change of an older state is refused before anything is kept of it', async () => {
  const { runs, xcoms } = opening()
  const { instance } = await begun(runs)
  await runs.record(succeeded(instance, 1))
  await assert.rejects(runs.record(succeeded(instance, 2)), /Task "work" in run ".*" of DAG "daily" has moved on in the meantime/)
  assert.equal((await xcoms.find('daily', instance.runId, 'work', 'return_value'))?.value, 1)
  assert.equal((await xcoms.find('daily', instance.runId, 'work', 'return_value'))?.value, 1)
})

test('a journal that is full begins again, as often as need be', async () => {
  const { runs, instances, db } = opening(file, 4_096)
  const ids: string[] = []
  for (let hour = 0; hour < 40; hour++) {
    const { instance } = await begun(runs, hour)
    await runs.record(succeeded(instance, 'x'.repeat(hour * 20)))
    ids.push(instance.runId)
  }
  for (const runId of ids) assert.equal((await instances.find('daily', runId, 'work'))?.state, 'success')
  db.close()
  opened.splice(0)
  const later = opening(file, 4_096)
  for (const runId of ids) assert.equal((await later.instances.find('daily', runId, 'work'))?.state, 'success')
})

test('an answer too large for the journal goes to the tables at once', async () => {
  const { runs, xcoms } = opening(file, 4_096)
  const { instance } = await begun(runs)
  await runs.record(succeeded(instance, 'x'.repeat(10_000)))
  assert.equal(String((await xcoms.find('daily', instance.runId, 'work', 'return_value'))?.value).length, 10_000)
})

/** Writes the next entry, and fails all the same. */
class UncertainJournal extends Journal {
  isFailing = false

  override async append(text: string): Promise<number> {
    const sequence = await super.append(text)
    if (!this.isFailing) return sequence
    this.isFailing = false
    throw new Error('The disk does not answer.')
  }
}

test('what is recorded after an entry that has failed is found again, and the failed one does not come between', async () => {
  const db = new Database(file)
  opened.push(db)
  const instances = new SqliteTaskInstanceStore(db)
  const journal = new UncertainJournal(journalFile)
  const runs = new JournaledDagRunStore(db, instances, journal)
  const first = await begun(runs, 0)
  const second = await begun(runs, 1)
  const third = await begun(runs, 2)
  await runs.record(succeeded(first.instance, 1))
  journal.isFailing = true
  await assert.rejects(runs.record(succeeded(second.instance, 2)), /The disk does not answer/)
  assert.equal((await instances.find('daily', second.instance.runId, 'work'))?.state, 'queued')
  db.all('PRAGMA wal_checkpoint(TRUNCATE)')
  const before = join(folder, 'before.sqlite')
  await copyFile(file, before)
  await runs.record(succeeded(third.instance, 3))
  const later = opening(before)
  const stateOf = async ({ runId }: TaskInstance) => (await later.instances.find('daily', runId, 'work'))?.state
  assert.deepEqual(await Promise.all([first, second, third].map(({ instance }) => stateOf(instance))), ['success', 'queued', 'success'])
})

test('tables that take nothing just now neither undo a turn nor end the platform, and have it later', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { db, runs, instances } = opening()
  const { instance } = await begun(runs)
  const quick = db.quickTransaction.bind(db)
  db.quickTransaction = () => {
    throw Object.assign(new Error('database or disk is full'), { code: 'ERR_SQLITE_ERROR', errcode: 13 })
  }
  await runs.record(succeeded(instance, 1))
  // Longer than the tables are let wait.
  t.mock.timers.tick(200)
  await assert.rejects(instances.find('daily', instance.runId, 'work'), { code: 'unavailable', message: /disk is full/ })
  db.quickTransaction = quick
  assert.equal((await instances.find('daily', instance.runId, 'work'))?.state, 'success')
})

test('what an earlier platform has left in the journal is made durable in the tables before the journal begins again', async () => {
  const first = opening()
  const { instance } = await begun(first.runs)
  first.db.all('PRAGMA wal_checkpoint(TRUNCATE)')
  const before = join(folder, 'before.sqlite')
  await copyFile(file, before)
  await first.runs.record(succeeded(instance, 1))
  let quick = 0
  class Watched extends Database {
    override quickTransaction<T>(work: () => T): T {
      quick += 1
      return super.quickTransaction(work)
    }
  }
  const db = new Watched(before)
  const instances = new SqliteTaskInstanceStore(db)
  new JournaledDagRunStore(db, instances, new Journal(journalFile))
  assert.equal((await instances.find('daily', instance.runId, 'work'))?.state, 'success')
  assert.equal(quick, 0)
  db.close()
})
