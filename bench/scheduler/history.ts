/** A home that already holds many finished runs: what a platform has after years. */
import { join } from 'node:path'
import { dag } from '../../packages/dag/src/index.ts'
import { SqliteDagRunStore } from '../../packages/platform/src/adapters/sqlite/dag-run.ts'
import { Database } from '../../packages/platform/src/adapters/sqlite/database.ts'
import { type DagRun, NO_CHANGES, scheduledRun } from '../../packages/platform/src/scheduling/dag-run.ts'
import { newTaskInstance } from '../../packages/platform/src/scheduling/task-instance.ts'

const PER_COMMIT = 1_000
const HOUR_MS = 3_600_000
/** How many DAGs the runs are of, and tasks each run has had. */
const DAGS = 20
const TASKS = 3

/** Writes `count` finished runs into the store of `home`, as the scheduler would have left them. */
export async function withHistory(home: string, count: number): Promise<void> {
  const db = new Database(join(home, 'platform.sqlite'))
  const runs = new SqliteDagRunStore(db)
  const { tasks } = dag('history', {}, ({ task }) => {
    for (let i = 0; i < TASKS; i++) task(`t${i}`, async () => {})
  }).document
  for (let done = 0; done < count; done += PER_COMMIT) {
    const created = Array.from({ length: Math.min(PER_COMMIT, count - done) }, (_, i) => finishedRun(done + i))
    const added = created.flatMap((run) => tasks.map((task) => ({ ...newTaskInstance(run, task), ...endOf(run), tryNumber: 1 })))
    await runs.record({ ...NO_CHANGES, created, added })
  }
  db.close()
}

function finishedRun(i: number): DagRun {
  const start = new Date(Date.UTC(2020, 0, 1) + Math.floor(i / DAGS) * HOUR_MS)
  const end = new Date(start.getTime() + HOUR_MS)
  const run = scheduledRun(`history_${i % DAGS}`, { logicalDate: start, interval: { start, end }, runAfter: end }, end)
  const at = end.toISOString()
  return { ...run, ...endOf(run), queuedAt: at }
}

const endOf = ({ runAfter }: Pick<DagRun, 'runAfter'>) => ({ state: 'success' as const, startedAt: runAfter, endedAt: runAfter })
