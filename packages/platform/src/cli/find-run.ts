/** Which run a command means: its id, its logical date, or its id alone where that is unique. */
import { AppError } from '../core/app-error.ts'
import type { RunView } from './airflow.ts'
import { type PlatformClient, path, query } from './client.ts'
import { isDate, readDate } from './command.ts'

/** The run of a DAG by its id or its logical date (in `zone` without an offset); throws `not_found`. */
export async function findRun(client: PlatformClient, dagId: string, idOrDate: string, zone: string): Promise<RunView> {
  const byId = await client.find<RunView>(path`/api/v2/dags/${dagId}/dagRuns/${idOrDate}`)
  if (byId) return byId
  const date = isDate(idOrDate, zone) ? readDate(idOrDate, zone) : null
  if (date !== null) {
    const range = query({ logical_date_gte: date, logical_date_lte: date })
    const [byDate] = await client.list<RunView>(path`/api/v2/dags/${dagId}/dagRuns` + range, 'dag_runs', { most: 1 })
    if (byDate?.logical_date && Date.parse(byDate.logical_date) === Date.parse(date)) return byDate
  }
  await client.get(path`/api/v2/dags/${dagId}`)
  throw new AppError(
    'not_found',
    `DAG "${dagId}" has no run "${idOrDate}"${date === null ? '' : ', and none of that logical date'}. See: daggerboard dags list-runs ${dagId}`,
  )
}

/** The run that is named `DAG/RUN`, or by an id that one DAG alone has, or is in `dagId`. */
export async function findRunAnywhere(client: PlatformClient, name: string, dagId: string | undefined, zone: string): Promise<RunView> {
  if (dagId !== undefined) return findRun(client, dagId, name, zone)
  const [, dag, run] = /^([^/]+)\/(.+)$/.exec(name) ?? []
  if (dag !== undefined && run !== undefined) return findRun(client, dag, run, zone)
  const pattern = query({ run_id_pattern: name.replace(/[\\%_]/g, '\\$&') })
  const runs = await client.list<RunView>(`/api/v2/dags/~/dagRuns${pattern}`, 'dag_runs')
  const found = runs.filter((each) => each.dag_run_id === name)
  if (found.length === 1) return found[0] as RunView
  const dags = found.map((each) => `"${each.dag_id}"`).join(', ')
  throw found.length === 0
    ? new AppError('not_found', `No DAG has a run "${name}". Name it as DAG/RUN; see: daggerboard dags list-runs DAG`)
    : new AppError('conflict', `The DAGs ${dags} have a run "${name}" each. Say which one with --dag-id, or as DAG/RUN.`)
}
