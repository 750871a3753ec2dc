/** What `tasks test` takes from a run of the platform: its dates, its conf and what its tasks have answered. */
import { AppError } from '../core/app-error.ts'
import type { RunView } from './airflow.ts'
import { PlatformClient, path } from './client.ts'
import { isDate } from './command.ts'
import type { Context } from './context.ts'
import { findRun } from './find-run.ts'

interface XComView {
  readonly task_id: string
  readonly map_index: number
  readonly key: string
}

/** Null for a date of which there is no run. Throws `not_found` for an id of which there is none. */
export async function runForTest({ host, inspected, zone }: Context, dagId: string, name: string | undefined) {
  if (name === undefined) return null
  const access = await host.localAccess(inspected.settings.home)
  if (!access) {
    if (isDate(name, zone)) return null
    throw new AppError(
      'unavailable',
      `No platform runs in ${inspected.settings.home} that could know the run "${name}". Start one, or give a date.`,
    )
  }
  const client = new PlatformClient(access)
  const run = await findRun(client, dagId, name, zone).catch((error: AppError) => {
    if (isDate(name, zone) && error.code === 'not_found') return null
    throw error
  })
  if (!run) return null
  const of = path`/api/v2/dags/${dagId}/dagRuns/${run.dag_run_id}`
  const entries = await client.list<XComView>(`${of}/taskInstances/~/xcomEntries`, 'xcom_entries')
  const xcoms = await Promise.all(
    entries.map(async ({ task_id, map_index, key }) => {
      const { value } = await client.get<{ value: unknown }>(
        `${of}${path`/taskInstances/${task_id}/xcomEntries/${key}?map_index=${map_index}`}`,
      )
      return { taskId: task_id, mapIndex: map_index, key, value }
    }),
  )
  return { ...factsOf(run), xcoms }
}

const factsOf = (run: RunView) => ({
  runId: run.dag_run_id,
  logicalDate: run.logical_date,
  dataIntervalStart: String(run.data_interval_start),
  dataIntervalEnd: String(run.data_interval_end),
  conf: run.conf ?? {},
})
