/** The thread of a {@link TableWriter}. */
import { parentPort, workerData } from 'node:worker_threads'
import { NO_CHANGES } from '../../scheduling/dag-run.ts'
import { SqliteDagRunStore } from './dag-run.ts'
import { Database } from './database.ts'
import { markApplied } from './journal-applied.ts'
import { joined, type Moves } from './journaled-moves.ts'
import { type Batch, STATE, type ThreadData, type ToTableWriter } from './table-writer.ts'

const { path, state, busyMilliseconds } = workerData as ThreadData
/** It writes all over the tables. */
const CACHE_MEBIBYTES = 32

/** Whoever waits may stand still: what fails is said in the memory that both see. */
function unlessFailed(work: () => void): void {
  try {
    if (Atomics.load(state, STATE.hasFailed) === 0) work()
  } catch {
    Atomics.store(state, STATE.hasFailed, 1)
  }
}

unlessFailed(() => {
  const db = new Database(path, CACHE_MEBIBYTES, busyMilliseconds)
  const runs = new SqliteDagRunStore(db)
  parentPort?.on('message', (message: ToTableWriter) => {
    // What comes after a batch that has failed must not be written without it.
    unlessFailed(() => (message === 'close' ? db.close() : write(db, runs, message)))
    Atomics.add(state, STATE.done, 1)
    Atomics.notify(state, STATE.done)
  })
})
Atomics.store(state, STATE.isReady, 1)
Atomics.notify(state, STATE.isReady)

function write(db: Database, runs: SqliteDagRunStore, { texts, last, isForGood }: Batch): void {
  const work = () => {
    for (const moves of joined(texts.map((text) => JSON.parse(text) as Moves))) runs.apply({ ...NO_CHANGES, ...moves })
    markApplied(db, last)
  }
  if (isForGood) db.transaction(work)
  else db.quickTransaction(work)
}
