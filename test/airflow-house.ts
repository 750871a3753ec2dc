/** A scheduler with its stores behind the Airflow door, in the test's own process: tasks are functions, the clock stands still. */
import type { DagDocument } from '@daggerboard/dag'
import { InlineRunner, type InlineTask } from '../packages/platform/src/adapters/memory/task-runner.ts'
import { SqliteAssetStore } from '../packages/platform/src/adapters/sqlite/asset.ts'
import { SqliteBackfillStore } from '../packages/platform/src/adapters/sqlite/backfill.ts'
import { SqliteDagStore } from '../packages/platform/src/adapters/sqlite/dag.ts'
import { SqliteDagList } from '../packages/platform/src/adapters/sqlite/dag-list.ts'
import { SqliteDagRunStore } from '../packages/platform/src/adapters/sqlite/dag-run.ts'
import { SqliteDagRunList } from '../packages/platform/src/adapters/sqlite/dag-run-list.ts'
import { Database } from '../packages/platform/src/adapters/sqlite/database.ts'
import { SqliteEventLog } from '../packages/platform/src/adapters/sqlite/event-log.ts'
import { SqlitePoolStore } from '../packages/platform/src/adapters/sqlite/pool.ts'
import { SqliteTaskInstanceStore } from '../packages/platform/src/adapters/sqlite/task-instance.ts'
import { SqliteTaskInstanceList } from '../packages/platform/src/adapters/sqlite/task-instance-list.ts'
import { SqliteTaskLogs } from '../packages/platform/src/adapters/sqlite/task-log.ts'
import { SqliteTaskTryStore } from '../packages/platform/src/adapters/sqlite/task-try.ts'
import { SqliteXComStore } from '../packages/platform/src/adapters/sqlite/xcom.ts'
import { SqliteXComList } from '../packages/platform/src/adapters/sqlite/xcom-list.ts'
import { ManualClock } from '../packages/platform/src/core/clock.ts'
import { Events } from '../packages/platform/src/core/events.ts'
import { type Principal, principal, ROLE_PERMISSIONS } from '../packages/platform/src/core/principal.ts'
import { airflowDoor } from '../packages/platform/src/http/airflow/airflow-door.ts'
import { createDoor } from '../packages/platform/src/http/door.ts'
import { Scheduler } from '../packages/platform/src/scheduling/scheduler.ts'

export const NOW = '2019-10-09T12:00:00Z'
export const ann = principal('user:ann', ROLE_PERMISSIONS.op)
export const viewer = principal('user:vic', ROLE_PERMISSIONS.viewer)

export interface AirflowHouseOptions {
  /** By the file that has them. */
  readonly dags: Readonly<Record<string, readonly DagDocument[]>>
  /** What each task does after it has logged that it is at work. Default: answers its own id. */
  readonly task?: InlineTask
}

export type AirflowHouse = Awaited<ReturnType<typeof airflowHouse>>

export async function airflowHouse({ dags: files, task = ({ taskId }) => ({ from: taskId }) }: AirflowHouseOptions) {
  const db = new Database(':memory:')
  const clock = new ManualClock(NOW)
  const dags = new SqliteDagStore(db)
  const runs = new SqliteDagRunStore(db)
  const instances = new SqliteTaskInstanceStore(db)
  const xcoms = new SqliteXComStore(db)
  const pools = new SqlitePoolStore(db)
  const backfills = new SqliteBackfillStore(db)
  const assets = new SqliteAssetStore(db)
  const eventLog = new SqliteEventLog(db)
  const logs = new SqliteTaskLogs({ db: new Database(':memory:'), clock, mask: (text) => text })
  const runner = new InlineRunner((attempt, signal) => {
    const log = logs.open(attempt)
    log.write(`${attempt.taskId} at work\n`)
    log.close()
    return task(attempt, signal)
  })
  const events = new Events(clock)
  const stores = { dags, runs, instances, xcoms, pools, backfills, assets }
  const scheduler = new Scheduler({ ...stores, runner, clock, events })
  for (const [file, documents] of Object.entries(files)) await dags.saveReading({ file, source: `// ${file}`, documents }, NOW, true)

  const app = createDoor()
  let who: Principal | null = ann
  app.use(async (c, next) => {
    c.set('principal', who)
    c.set('authenticationProblem', null)
    await next()
  })
  app.route(
    '/',
    airflowDoor({
      ...{ ...stores, scheduler, logs, clock, events, version: '0.1.0', folder: '/dags' },
      dagList: new SqliteDagList(db, dags),
      runList: new SqliteDagRunList(db, runs),
      instanceList: new SqliteTaskInstanceList(db, instances),
      xcomList: new SqliteXComList(db),
      tries: new SqliteTaskTryStore(db),
      recorder: { eventLog, clock },
      config: [
        { section: 'core', key: 'parallelism', value: '4' },
        { section: 'core', key: 'fernet_key', value: '***' },
      ],
    }),
  )

  const fetch = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Response> => {
    const init = { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) }
    return app.fetch(new Request(`http://localhost/${path.startsWith('/api') ? path.slice(1) : `api/v2${path}`}`, init))
  }
  const call = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const response = await fetch(method, path, body, headers)
    const text = await response.text()
    const isJson = response.headers.get('content-type')?.startsWith('application/json') ?? false
    // biome-ignore lint/suspicious/noExplicitAny: what comes is what the tests look into
    return { status: response.status, text, body: (isJson ? JSON.parse(text) : null) as any }
  }
  const turn = async () => {
    await scheduler.poll()
    await new Promise((resolve) => setImmediate(resolve))
  }
  /** As many turns as anything takes that no task has to be waited for. */
  const settle = async () => {
    for (let i = 0; i < 40; i++) await turn()
  }
  /** Turns until the thing at `path` has that state. */
  const reach = async (path: string, state: string) => {
    for (let i = 0; (await call('GET', path)).body.state !== state; i++) {
      if (i > 500) throw new Error(`${path} does not become ${state}: ${(await call('GET', path)).text}`)
      await turn()
    }
  }
  const as = (next: Principal | null) => {
    who = next
  }
  return { call, fetch, turn, settle, reach, as, scheduler, stores, db, clock, events, eventLog, logs, runner }
}
