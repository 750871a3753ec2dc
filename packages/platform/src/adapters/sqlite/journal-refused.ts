/**
 * What the journal has taken and the tables refuse for good: a value that cannot be kept, a row that has moved on. It is put aside, run by run,
 * and everything else goes on: nothing of it may stand in the way of what came after.
 */
import { messageOf } from '../../core/app-error.ts'
import { NO_CHANGES, runKey } from '../../scheduling/dag-run.ts'
import type { Database } from './database.ts'
import { type Moves, movesOf } from './journaled-moves.ts'
import { isOutage } from './outage.ts'

const TABLE = `CREATE TABLE IF NOT EXISTS journal_refused (
  sequence INTEGER NOT NULL, dag_id TEXT NOT NULL, run_id TEXT NOT NULL, text TEXT NOT NULL, error TEXT NOT NULL, at TEXT NOT NULL) STRICT`
const PUT_ASIDE = `INSERT INTO journal_refused VALUES (?, ?, ?, ?, ?, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))`
/** The newest are kept. */
const MOST_KEPT = 1000
const FORGET = `DELETE FROM journal_refused WHERE rowid <= (SELECT max(rowid) FROM journal_refused) - ${MOST_KEPT}`
const BEHIND_REFUSED = 'It follows what was refused before.'

export interface Refused {
  readonly sequence: number
  readonly dagId: string
  readonly runId: string
  /** Why the tables have not taken it. */
  readonly error: string
}

interface Entry {
  readonly sequence: number
  readonly moves: Moves
}

/**
 * Brings entries to the tables one by one, within a transaction; answers what was put aside. Once something of a run was refused, so is what
 * follows of it: the run stays where it was. Throws what is an outage.
 */
export function applySingly(db: Database, entries: readonly Entry[], apply: (moves: Moves) => void): Refused[] {
  db.migrate(TABLE)
  const refused = new Map<string, Refused>()
  const problemOf = (moves: Moves): string | null => {
    try {
      db.savepoint(() => apply(moves))
      return null
    } catch (error) {
      if (isOutage(error)) throw error
      return messageOf(error)
    }
  }
  for (const { sequence, moves } of entries) {
    const parts = byRun(moves)
    if (!parts.some(({ key }) => refused.has(key)) && problemOf(moves) === null) continue
    for (const { key, dagId, runId, moves: own } of parts) {
      const error = refused.has(key) ? BEHIND_REFUSED : problemOf(own)
      if (error === null) continue
      db.run(PUT_ASIDE, sequence, dagId, runId, JSON.stringify(own), error)
      if (!refused.has(key)) refused.set(key, { sequence, dagId, runId, error })
    }
  }
  db.run(FORGET)
  return [...refused.values()]
}

interface Part {
  readonly key: string
  readonly dagId: string
  readonly runId: string
  readonly moves: Moves
}

/** What is of no run has a part of its own, whose ids are empty. */
function byRun(moves: Moves): Part[] {
  const { callbacksDone, cancellationsDone, ...ofRuns } = moves
  const none = movesOf(NO_CHANGES) as Moves
  const ids = new Map<string, { dagId: string; runId: string }>()
  for (const { dagId, runId } of Object.values(ofRuns).flat()) ids.set(runKey({ dagId, runId }), { dagId, runId })
  const parts = [...ids].map(([key, { dagId, runId }]): Part => {
    const own = <T extends { dagId: string; runId: string }>(all: readonly T[]) =>
      all.filter((one) => one.dagId === dagId && one.runId === runId)
    const { runs, instances, tries, xcoms, xcomsCleared } = ofRuns
    return {
      ...{ key, dagId, runId },
      moves: {
        ...none,
        ...{ runs: own(runs), instances: own(instances), tries: own(tries), xcoms: own(xcoms), xcomsCleared: own(xcomsCleared) },
      },
    }
  })
  return [...parts, { key: '', dagId: '', runId: '', moves: { ...none, callbacksDone, cancellationsDone } }]
}
