/** A scheduler with real stores in memory, tasks that are functions of the test, and a clock that stands still. */
import type { DagDocument, TaskDocument } from '@daggerboard/dag'
import { InlineRunner, type InlineTask, type InlineWait } from '../src/adapters/memory/task-runner.ts'
import { SqliteAssetStore } from '../src/adapters/sqlite/asset.ts'
import { SqliteBackfillStore } from '../src/adapters/sqlite/backfill.ts'
import { SqliteCallbackStore } from '../src/adapters/sqlite/callback.ts'
import { SqliteCancellationStore } from '../src/adapters/sqlite/cancellation.ts'
import { SqliteDagStore } from '../src/adapters/sqlite/dag.ts'
import { SqliteDagRunStore } from '../src/adapters/sqlite/dag-run.ts'
import { Database } from '../src/adapters/sqlite/database.ts'
import { SqlitePoolStore } from '../src/adapters/sqlite/pool.ts'
import { SqliteTaskInstanceStore } from '../src/adapters/sqlite/task-instance.ts'
import { SqliteTaskTryStore } from '../src/adapters/sqlite/task-try.ts'
import { SqliteXComStore } from '../src/adapters/sqlite/xcom.ts'
import { ManualClock } from '../src/core/clock.ts'
import { type DomainEvent, Events } from '../src/core/events.ts'
import type { DagRunStore } from '../src/scheduling/dag-run.ts'
import { Scheduler, type SchedulerLimits } from '../src/scheduling/scheduler.ts'

export const START = '2019-10-09T12:00:00Z'

export function inlinePlatform({
  task = () => null,
  wait,
  limits,
  db = new Database(':memory:'),
  clock = new ManualClock(START),
  runs = new SqliteDagRunStore(db),
}: {
  task?: InlineTask
  wait?: InlineWait
  limits?: Partial<SchedulerLimits>
  db?: Database
  clock?: ManualClock
  runs?: DagRunStore
} = {}) {
  const events = new Events(clock)
  const told: DomainEvent[] = []
  events.subscribe((event) => told.push(event))
  const dags = new SqliteDagStore(db)
  const instances = new SqliteTaskInstanceStore(db)
  const pools = new SqlitePoolStore(db)
  const backfills = new SqliteBackfillStore(db)
  const assets = new SqliteAssetStore(db)
  const callbacks = new SqliteCallbackStore(db)
  const cancellations = new SqliteCancellationStore(db, instances)
  const runner = new InlineRunner(task, wait)
  const stores = { dags, runs, instances, pools, backfills, assets, callbacks, cancellations }
  const scheduler = new Scheduler({ ...stores, runner, clock, events, ...(limits && { limits }) })

  const save = async (document: DagDocument, paused = false) => {
    await dags.saveReading({ file: `${document.dagId}.ts`, source: '', documents: [document] }, START, paused)
    scheduler.dagsChanged()
  }
  /** Turns until nothing moves any more; never waits for time. */
  const settle = async () => {
    for (let quiet = 0; quiet < 3; ) {
      const before = told.length
      await scheduler.poll()
      await new Promise(setImmediate)
      quiet = told.length === before ? quiet + 1 : 0
    }
  }
  /** How the run and its tasks stand; mapped instances as `task[0]`. */
  const states = async (dagId: string, runId: string) => {
    const own = await instances.listOfRun(dagId, runId)
    const named = own.map(({ taskId, mapIndex, state }) => [mapIndex < 0 ? taskId : `${taskId}[${mapIndex}]`, state])
    return Object.fromEntries([['run', (await runs.find(dagId, runId))?.state], ...named])
  }
  const begun = () => runner.begun.map(({ taskId, mapIndex, tryNumber }) => `${taskId}${mapIndex < 0 ? '' : `[${mapIndex}]`}#${tryNumber}`)
  return {
    ...stores,
    ...{ clock, told, runner, scheduler, save, settle, states, begun, db },
    tries: new SqliteTaskTryStore(db),
    xcoms: new SqliteXComStore(db),
  }
}

/** The document with other facts about some tasks, and about itself. */
export function changed(
  document: DagDocument,
  tasks: Readonly<Record<string, Partial<TaskDocument>>>,
  facts: Partial<DagDocument> = {},
): DagDocument {
  return { ...document, ...facts, tasks: document.tasks.map((task) => ({ ...task, ...tasks[task.taskId] })) }
}

/** A promise and what settles it. */
export function gate<T = void>() {
  let open = (_: T) => {}
  const opened = new Promise<T>((resolve) => {
    open = resolve
  })
  return { opened, open }
}
