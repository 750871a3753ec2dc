/** What was acknowledged is there after any end: of the process, when all that was written is there, and of the power, when only what was synced is. */
import assert from 'node:assert/strict'
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { JournaledTurns } from '../../../test/journaled-turns.ts'
import { type Random, seeded } from '../../../test/simulation/seeded.ts'
import { NO_CHANGES } from '../../scheduling/dag-run.ts'
import { SqliteDagRunStore } from './dag-run.ts'
import { Database } from './database.ts'
import { Journal } from './journal.ts'
import { markApplied } from './journal-applied.ts'
import { JournaledDagRunStore } from './journaled-dag-run.ts'
import type { Moves } from './journaled-moves.ts'
import { isOutage } from './outage.ts'
import { type Batch, TableWriter } from './table-writer.ts'
import { SqliteTaskInstanceStore } from './task-instance.ts'

/** More of them: `HISTORIES=1000 node --test …/journal-crash.test.ts`. */
const HISTORIES = Number(process.env.HISTORIES ?? 12)
const TURNS = 50
const INSTANCES = 60
/** A few turns fill a half. */
const JOURNAL_BYTES = 128 * 1024
const CACHE_MEBIBYTES = 4
const BUSY_MS = 5

class Home {
  readonly folder = mkdtempSync(join(tmpdir(), 'daggerboard-crash-'))
  readonly file = join(this.folder, 'platform.sqlite')
  readonly journal = join(this.folder, 'turns.journal')
  #copies = 0

  /** What a platform finds otherwise than it was acknowledged, when it starts with these tables and with the journal as it is now. */
  async complaints(turns: JournaledTurns, tables = this.file): Promise<string[]> {
    const name = join(this.folder, `copy-${this.#copies++}`)
    copyTables(tables, `${name}.sqlite`)
    copyFileSync(this.journal, `${name}.journal`)
    const db = new Database(`${name}.sqlite`, CACHE_MEBIBYTES)
    try {
      new JournaledDagRunStore(db, new SqliteTaskInstanceStore(db), new Journal(`${name}.journal`, JOURNAL_BYTES))
      return await turns.complaints(db)
    } finally {
      db.close()
      for (const end of ['.sqlite', '.journal']) rmSync(name + end)
    }
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** While this thread copies, the journal stands still and the tables only get more. */
function copyTables(from: string, to: string): void {
  rmSync(`${to}-wal`, { force: true })
  for (const end of ['', '-wal']) if (existsSync(from + end)) copyFileSync(from + end, to + end)
}

/** Fails now and then, although the entry is in the file. */
class UncertainJournal extends Journal {
  readonly #random: Random

  constructor(path: string, random: Random) {
    super(path, JOURNAL_BYTES)
    this.#random = random
  }

  protected override async write(file: number, entry: Buffer, position: number): Promise<number> {
    const written = await super.write(file, entry, position)
    if (this.#random.chance(0.12)) throw Object.assign(new Error('The disk does not answer.'), { syscall: 'write' })
    return written
  }
}

/** Tells when all that was written is on the disk. */
class WatchedDatabase extends Database {
  #onDurable: () => void
  #isQuick = false
  #depth = 0

  constructor(path: string, onDurable: () => void) {
    super(path, CACHE_MEBIBYTES)
    this.#onDurable = onDurable
  }

  override quickTransaction<T>(work: () => T): T {
    this.#isQuick = true
    return super.quickTransaction(work)
  }

  override transaction<T>(work: () => T): T {
    const isQuick = this.#isQuick
    this.#isQuick = false
    const result = super.transaction(() => {
      this.#depth += 1
      try {
        return work()
      } finally {
        this.#depth -= 1
      }
    })
    if (!isQuick && this.#depth === 0) this.#onDurable()
    return result
  }
}

/** Writes when it is told to, at the latest when it is waited for. */
class LaggingWriter extends TableWriter {
  readonly #db: Database
  #runs: SqliteDagRunStore | null = null
  readonly #batches: Batch[] = []
  #written = 0

  constructor(db: Database) {
    super(db.path)
    this.#db = db
  }

  override start(): void {}
  override get isReady(): boolean {
    return true
  }
  override get hasFailed(): boolean {
    return false
  }
  override get done(): number {
    return this.#written
  }

  override give(batch: Batch): number {
    this.#batches.push(batch)
    return this.#written + this.#batches.length
  }

  override wait(): void {
    while (this.#batches.length > 0) this.writeOne()
  }

  override close(): void {
    this.wait()
    this.#db.close()
  }

  writeOne(): void {
    const batch = this.#batches.shift()
    if (!batch) return
    this.#runs ??= new SqliteDagRunStore(this.#db)
    const runs = this.#runs
    const work = () => {
      for (const text of batch.texts) runs.apply({ ...NO_CHANGES, ...(JSON.parse(text) as Moves) })
      markApplied(this.#db, batch.last)
    }
    if (batch.isForGood) this.#db.transaction(work)
    else this.#db.quickTransaction(work)
    this.#written += 1
  }
}

test('a loss of power at any moment loses nothing that was acknowledged, and brings nothing back that was refused', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  for (let seed = 1; seed <= HISTORIES; seed++) {
    const random = seeded(seed)
    const many = random.pick([1, 32, 128])
    const home = new Home()
    const durable = join(home.folder, 'durable.sqlite')
    const keep = () => copyTables(home.file, durable)
    const db = new WatchedDatabase(home.file, keep)
    const writer = new LaggingWriter(new WatchedDatabase(home.file, keep))
    const runs = new JournaledDagRunStore(db, new SqliteTaskInstanceStore(db), new UncertainJournal(home.journal, random), { writer, many })
    const turns = new JournaledTurns(random)
    try {
      await turns.newRun(runs, INSTANCES)
      for (let turn = 0; turn < TURNS; turn++) {
        try {
          await (random.chance(0.04) ? turns.newRun(runs, 5) : turns.turn(runs))
        } catch (error) {
          assert.ok(isOutage(error), String(error))
          // Who was refused reads what is true.
          await runs.listUnfinished()
        }
        if (random.chance(0.1)) await turns.lateTurn(runs)
        if (random.chance(0.1)) await runs.listUnfinished()
        if (random.chance(0.1)) t.mock.timers.tick(150)
        if (random.chance(0.3)) writer.writeOne()
        if (random.chance(0.25)) assert.deepEqual(await home.complaints(turns, durable), [], `history ${seed}, turn ${turn}`)
      }
      assert.deepEqual(await turns.complaints(db), [], `history ${seed}`)
    } finally {
      db.close()
      home.remove()
    }
  }
})

test('neither does the end of a process at any moment, while a thread writes and others hold the tables now and then', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  let threadsUsed = 0
  for (let seed = 1; seed <= Math.ceil(HISTORIES / 6); seed++) {
    const random = seeded(seed)
    const many = random.pick([1, 32, 128])
    const home = new Home()
    const db = new Database(home.file, CACHE_MEBIBYTES, BUSY_MS)
    const writer = new TableWriter(home.file, { busyMilliseconds: BUSY_MS, restMilliseconds: 0 })
    const runs = new JournaledDagRunStore(db, new SqliteTaskInstanceStore(db), new Journal(home.journal, JOURNAL_BYTES), { writer, many })
    const turns = new JournaledTurns(random)
    const other = new Database(home.file, CACHE_MEBIBYTES, BUSY_MS)
    let isHeld = false
    const hold = (held: boolean) => {
      if (held === isHeld) return
      try {
        other.migrate(held ? 'BEGIN IMMEDIATE' : 'ROLLBACK')
        isHeld = held
      } catch (error) {
        // The thread is writing just now.
        assert.ok(isOutage(error), String(error))
      }
    }
    try {
      await turns.newRun(runs, INSTANCES)
      for (let turn = 0; turn < TURNS; turn++) {
        if (random.chance(0.2)) writer.startNow()
        if (random.chance(0.2)) hold(!isHeld)
        try {
          await (random.chance(0.04) ? turns.newRun(runs, 5) : turns.turn(runs))
          if (random.chance(0.1)) await runs.listUnfinished()
        } catch (error) {
          assert.ok(isHeld && isOutage(error), String(error))
        }
        if (random.chance(0.1)) await turns.lateTurn(runs)
        if (random.chance(0.1)) t.mock.timers.tick(150)
        if (writer.done > 0) threadsUsed += 1
        if (random.chance(0.25)) assert.deepEqual(await home.complaints(turns), [], `history ${seed}, turn ${turn}`)
      }
      hold(false)
      assert.deepEqual(await turns.complaints(db), [], `history ${seed}`)
    } finally {
      other.close()
      db.close()
      home.remove()
    }
  }
  assert.ok(threadsUsed > 0)
})
