/** `npm run demo`: fills the warehouse, runs the DAG for one week and shows the whole refresh until the new model answers. */
import { AppError } from '../core/app-error.ts'
import type { PlatformClient } from './client.ts'
import { describeStage, type RefreshView, type StageView } from './refresh-line.ts'
import type { Terminal } from './terminal.ts'

const DAG_ID = 'pipeline_ml_staging'
const WEEK_MS = 7 * 24 * 3600 * 1000
/** How long the scheduler has to make the run of the last interval after the DAG was unpaused. */
const SCHEDULED_RUN_MS = 3000

export interface DataInterval {
  readonly start: Date
  readonly end: Date
}

/** The interval of the schedule `0 5 * * 1` that `instant` lies in: from a Monday 05:00 UTC to the next one. */
export function weekOf(instant: Date): DataInterval {
  const [year, month, day] = [instant.getUTCFullYear(), instant.getUTCMonth(), instant.getUTCDate()]
  const start = new Date(Date.UTC(year, month, day - ((instant.getUTCDay() + 6) % 7), 5))
  if (start > instant) start.setTime(start.getTime() - WEEK_MS)
  return { start, end: new Date(start.getTime() + WEEK_MS) }
}

/** The last complete interval of that schedule. */
export function lastWeek(now: Date): DataInterval {
  const { start: end } = weekOf(now)
  return { start: new Date(end.getTime() - WEEK_MS), end }
}

export interface DemoOptions {
  readonly client: PlatformClient
  readonly terminal: Terminal
  readonly interval: DataInterval
  /** Whether `interval` is the one that the schedule asks for now, so that unpausing the DAG makes its run. */
  readonly isScheduled: boolean
  readonly signal: AbortSignal
}

/** The last line of `--json`. */
export interface DemoResult {
  readonly ok: boolean
  readonly dagRun: { readonly state: string; readonly tasks: Readonly<Record<string, string>> }
  readonly builds: readonly {
    readonly id: string
    readonly status: string
    readonly repository: string
    readonly steps: readonly { readonly id: string; readonly status: string }[]
  }[]
  readonly model: {
    readonly name: string
    readonly version: string
    readonly stage: string
    readonly metrics: Readonly<Record<string, number>>
  } | null
  readonly service: { readonly name: string; readonly revision: string; readonly url: string } | null
  readonly prediction: unknown
  readonly reason: string | null
}

/** Runs the story once. It answers also when the run failed: `ok` says so and `reason` why. */
export async function runDemo(options: DemoOptions): Promise<DemoResult> {
  const { client, terminal, signal } = options
  const stopFollowing = new AbortController()
  const refreshes = client.events('/api/v1/events', AbortSignal.any([signal, stopFollowing.signal]))
  try {
    const runId = await startRun(options)
    terminal.event(`DAG run ${runId} of ${DAG_ID}`)
    const refresh = await follow(refreshes, runId, terminal)
    terminal.status('')
    return await conclude(refresh, options)
  } finally {
    terminal.status('')
    stopFollowing.abort()
  }
}

interface DagRuns {
  readonly dag_runs: readonly {
    readonly dag_run_id: string
    readonly run_type: string
    readonly state: string
    readonly data_interval_start: string | null
  }[]
}

/** Unpauses the DAG and answers the run to follow: the scheduled one of the interval if it is still to run, else one by hand. */
async function startRun({ client, interval, isScheduled, signal }: DemoOptions): Promise<string> {
  const path = `/api/v2/dags/${DAG_ID}`
  const trigger = async () => {
    const [start, end] = [interval.start.toISOString(), interval.end.toISOString()]
    const body = { logical_date: null, data_interval_start: start, data_interval_end: end, note: 'npm run demo' }
    return (await client.post<{ dag_run_id: string }>(`${path}/dagRuns`, body, signal)).dag_run_id
  }
  const unpause = () => client.patch(path, { is_paused: false }, signal)
  if (!isScheduled) {
    const runId = await trigger()
    await unpause()
    return runId
  }
  const isPaused = (await client.get<{ is_paused: boolean }>(path, signal)).is_paused
  if (isPaused) {
    await unpause()
    for (const deadline = Date.now() + SCHEDULED_RUN_MS; Date.now() < deadline; await new Promise((resolve) => setTimeout(resolve, 50))) {
      const { dag_runs } = await client.get<DagRuns>(`${path}/dagRuns?limit=100&order_by=-run_after`, signal)
      const run = dag_runs.find(
        (each) => each.run_type === 'scheduled' && new Date(each.data_interval_start ?? 0).getTime() === interval.start.getTime(),
      )
      if (run?.state === 'queued' || run?.state === 'running') return run.dag_run_id
      if (run) break
    }
  }
  return trigger()
}

/** Shows what changes in the refresh of `runId` until it has ended. */
async function follow(events: AsyncGenerator<{ type: string; data: string }>, runId: string, terminal: Terminal): Promise<RefreshView> {
  const shown = new Map<number, string>()
  for await (const { type, data } of events) {
    if (type !== 'refresh') continue
    const refresh = JSON.parse(data) as RefreshView
    if (refresh.origin.dagId !== DAG_ID || refresh.origin.runId !== runId) continue
    for (const [index, stage] of refresh.stages.entries()) {
      const text = describeStage(stage)
      if (text === null || shown.get(index) === text) continue
      shown.set(index, text)
      terminal.event(text)
    }
    terminal.status(
      refresh.stages
        .filter((stage) => stage.state === 'running')
        .map((stage) => stage.kind)
        .join(', ') || 'waiting',
    )
    if (refresh.endedAt !== null) return refresh
  }
  throw new AppError(
    'unavailable',
    `The live stream ended before the run ${runId} did. Its state: GET /api/v2/dags/${DAG_ID}/dagRuns/${runId}`,
  )
}

/** A cart of the shop, as its website would ask about it. */
const EXAMPLE_CART = {
  product_id: 1004767,
  brand: 'samsung',
  price: 254.82,
  num_views_session: 6,
  num_views_product: 3,
  category: 'electronics',
  sub_category: 'smartphone',
  hour: 19,
  minute: 42,
  weekday: 1,
  duration: 410,
  num_prev_sessions: 1,
  num_prev_product_views: 0,
} as const

async function conclude(refresh: RefreshView, { client, terminal, signal }: DemoOptions): Promise<DemoResult> {
  const last = (kind: string) => refresh.stages.findLast((stage) => stage.kind === kind && stage.state === 'success')
  const [model, traffic] = [last('model'), last('traffic')]
  const builds = refresh.stages.filter((stage) => stage.kind === 'build' && stage.buildId !== null)
  let prediction: unknown = null
  if (traffic) {
    prediction = await client.post(`/services/${traffic.service}/predict`, EXAMPLE_CART, signal)
    terminal.event(`✔ prediction: ${JSON.stringify(prediction)}`)
  }
  const isSuccess = refresh.state === 'success' && refresh.dagRunState === 'success' && model !== undefined && prediction !== null
  if (!isSuccess) terminal.event(`✖ The refresh ended as ${refresh.state}: ${refresh.reason ?? 'a part of it is missing, see above'}`)
  return {
    ok: isSuccess && builds.every((stage) => stage.state === 'success'),
    dagRun: {
      state: refresh.dagRunState ?? refresh.state,
      tasks: Object.fromEntries(refresh.tasks.map((task) => [task.taskId, task.state])),
    },
    builds: builds.map(toBuild),
    model: model
      ? {
          name: String(model.name),
          version: String(model.version),
          stage: String(model.stage),
          metrics: model.metrics as Record<string, number>,
        }
      : null,
    service: traffic ? { name: String(traffic.service), revision: String(traffic.revision), url: String(traffic.url) } : null,
    prediction,
    reason: refresh.reason,
  }
}

const BUILD_STATUS: Record<string, string> = { success: 'SUCCESS', failed: 'FAILURE', cancelled: 'CANCELLED', running: 'WORKING' }

const toBuild = (stage: StageView) => ({
  id: String(stage.buildId),
  status: BUILD_STATUS[stage.state] ?? 'QUEUED',
  repository: String(stage.repository),
  steps: (stage.steps as { id: string; status: string }[]).map(({ id, status }) => ({ id, status })),
})
