/** Starts the DAG of an environment. Of a paused one the runs would wait for ever, so its schedule is switched on first. */
import type { Environment } from './platform.ts'
import { requestJson, sendJson } from './request.ts'

/** How long the scheduler has to make the run of the newest interval, once the schedule is on. */
const SCHEDULED_RUN_MS = 3000
const ASK_AGAIN_MS = 100

const pathOf = (environment: Environment) => `/api/v2/dags/pipeline_ml_${environment}`

export const isScheduleOff = async (environment: Environment): Promise<boolean> =>
  (await requestJson<{ is_paused: boolean }>(pathOf(environment))).is_paused

/** Answers the id of the refresh that will appear. */
export async function startRefresh(environment: Environment): Promise<string> {
  const path = pathOf(environment)
  const runId = (await isScheduleOff(environment)) ? await switchOn(path) : null
  if (runId !== null) return `pipeline_ml_${environment}~${runId}`
  const run = (await sendJson(`${path}/dagRuns`, { logical_date: null })) as { dag_run_id: string }
  return `pipeline_ml_${environment}~${run.dag_run_id}`
}

/** A schedule that is switched on runs its newest interval at once, unless that has been done: then null. */
async function switchOn(path: string): Promise<string | null> {
  await sendJson(path, { is_paused: false }, 'PATCH')
  for (const deadline = Date.now() + SCHEDULED_RUN_MS; Date.now() < deadline; ) {
    const { dag_runs } = await requestJson<{ dag_runs: { dag_run_id: string; state: string }[] }>(
      `${path}/dagRuns?limit=1&order_by=-run_after`,
    )
    const [newest] = dag_runs
    if (newest?.state === 'queued' || newest?.state === 'running') return newest.dag_run_id
    await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS))
  }
  return null
}
