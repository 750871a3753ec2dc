import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { JournaledTurns } from '../../../test/journaled-turns.ts'
import { seeded } from '../../../test/simulation/seeded.ts'
import { NO_CHANGES } from '../../scheduling/dag-run.ts'
import { Database } from './database.ts'
import { Journal } from './journal.ts'
import { lastApplied } from './journal-applied.ts'
import { JournaledDagRunStore } from './journaled-dag-run.ts'
import { type Moves, movesOf } from './journaled-moves.ts'
import { TableWriter } from './table-writer.ts'
import { SqliteTaskInstanceStore } from './task-instance.ts'

const BUSY_MS = 5
const INSTANCES = 200
let folder: string
let file: string
const opened: Database[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'daggerboard-writer-'))
  file = join(folder, 'platform.sqlite')
})
afterEach(() => {
  for (const db of opened.splice(0)) db.close()
  rmSync(folder, { recursive: true, force: true })
})

function open(): Database {
  const db = new Database(file, undefined, BUSY_MS)
  opened.push(db)
  return db
}

/** A run of many instances in the tables, and a store whose thread is there. */
async function begun(
  newWriter: (path: string) => TableWriter = (path) => new TableWriter(path, { busyMilliseconds: BUSY_MS, restMilliseconds: 0 }),
) {
  const db = open()
  const writer = newWriter(file)
  const runs = new JournaledDagRunStore(db, new SqliteTaskInstanceStore(db), new Journal(join(folder, 'turns.journal')), {
    writer,
    many: 128,
  })
  const turns = new JournaledTurns(seeded(1))
  await turns.newRun(runs, INSTANCES)
  writer.startNow()
  return { db, writer, runs, turns }
}

const batch = (last: number, moves: Partial<Moves> = {}) => ({
  texts: [JSON.stringify({ ...movesOf(NO_CHANGES), ...moves })],
  last,
  isForGood: false,
})

test('much is brought to the tables by the thread', async () => {
  const { writer, runs, turns, db } = await begun()
  for (let i = 0; i < 40; i++) await turns.turn(runs)
  writer.wait()
  assert.ok(writer.done > 0)
  assert.deepEqual(await turns.complaints(db), [])
})

test('what comes after a batch that has failed is left alone, so that nothing is skipped', async () => {
  const { writer, db } = await begun()
  const before = lastApplied(db)
  assert.equal(writer.give(batch(before + 1)), 1)
  writer.give(batch(before + 2, { xcoms: [{ key: null }] as never }))
  writer.give(batch(before + 3))
  while (writer.done < 3) await new Promise(setImmediate)
  assert.equal(writer.hasFailed, true)
  assert.equal(writer.isReady, false)
  assert.equal(db.peek<{ sequence: number }>('SELECT sequence FROM journal_applied')?.sequence, before + 1)
})

test('while another connection holds the tables turns are recorded all the same, and are in the tables when it lets go', async () => {
  const { runs, turns, db } = await begun()
  const other = open()
  other.migrate('BEGIN IMMEDIATE')
  for (let i = 0; i < 30; i++) await turns.turn(runs)
  await assert.rejects(runs.listUnfinished(), /locked/)
  other.migrate('ROLLBACK')
  assert.equal((await runs.listUnfinished()).length, 1)
  assert.deepEqual(await turns.complaints(db), [])
  assert.equal(db.get(`SELECT 1 FROM sqlite_schema WHERE name = 'journal_refused'`), undefined)
})

test('a thread that has failed is followed by another', async () => {
  const { runs, turns, db, writer } = await begun()
  const other = open()
  other.migrate('BEGIN IMMEDIATE')
  for (let i = 0; i < 30; i++) await turns.turn(runs)
  await assert.rejects(runs.listUnfinished(), /locked/)
  other.migrate('ROLLBACK')
  for (let i = 0; i < 30; i++) await turns.turn(runs)
  writer.startNow()
  for (let i = 0; i < 30; i++) await turns.turn(runs)
  writer.wait()
  assert.ok(writer.done > 0)
  assert.deepEqual(await turns.complaints(db), [])
})

/** What it has done is noticed only when it has failed. */
class SilentWriter extends TableWriter {
  override get done(): number {
    return this.hasFailed ? super.done : 0
  }
}

test('a thread that cannot begin has failed, and leaves everything to the platform', async () => {
  const { turns } = await begun()
  const db = open()
  const writer = new TableWriter(folder)
  const runs = new JournaledDagRunStore(db, new SqliteTaskInstanceStore(db), new Journal(join(folder, 'other.journal')), {
    writer,
    many: 1,
  })
  writer.startNow()
  assert.equal(writer.isReady, false)
  assert.equal(writer.hasFailed, true)
  for (let i = 0; i < 10; i++) await turns.turn(runs)
  assert.deepEqual(await turns.complaints(db), [])
})

test('of what a thread has done before it failed nothing is done twice', async () => {
  const { runs, turns, db, writer } = await begun((path) => new SilentWriter(path))
  for (let i = 0; i < 20; i++) await turns.turn(runs)
  writer.give(batch(0, { xcoms: [{ key: null }] as never }))
  assert.deepEqual(await turns.complaints(db), [])
  assert.equal(db.get(`SELECT 1 FROM sqlite_schema WHERE name = 'journal_refused'`), undefined)
})

test('what a thread that has failed was given is kept until the tables say what they have', async () => {
  const { runs, turns, db, writer } = await begun((path) => new SilentWriter(path))
  for (let i = 0; i < 20; i++) await turns.turn(runs)
  writer.give(batch(0, { xcoms: [{ key: null }] as never }))
  const peek = db.peek.bind(db)
  db.peek = () => {
    throw new Error('disk I/O error')
  }
  for (let again = 0; again < 2; again++) await assert.rejects(runs.listUnfinished(), /disk I\/O error/)
  db.peek = peek
  for (let i = 0; i < 20; i++) await turns.turn(runs)
  assert.deepEqual(await turns.complaints(db), [])
})

test('when it is closed all that was given is in the tables', async () => {
  const { runs, turns, db } = await begun()
  for (let i = 0; i < 40; i++) await turns.turn(runs)
  db.close()
  opened.splice(0)
  assert.deepEqual(await turns.complaints(open()), [])
})

test('tables in memory are left to the connection that has them', () => {
  const writer = new TableWriter(':memory:')
  writer.startNow()
  assert.equal(writer.isReady, false)
})
