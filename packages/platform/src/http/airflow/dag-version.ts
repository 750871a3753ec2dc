/** What is known about DAGs beside themselves, in Airflow's words: their source, versions, numbers of runs and warnings. */
import { AppError } from '../../core/app-error.ts'
import { pageOfItems } from '../airflow-list.ts'
import { choice, many, one, ordering, pageOf, paging, readQuery, text, whole } from '../airflow-query.ts'
import { recorded } from '../airflow-record.ts'
import { type Door, permit } from '../door.ts'
import type { AirflowDoorOptions } from './airflow-door.ts'
import { BUNDLE, fileToken, presentVersion } from './dag-response.ts'
import { RUN_STATES } from './dag-run-response.ts'
import { ANY, findDag } from './request.ts'

const WARNINGS = ['asset conflict', 'non-existent pool', 'runtime varying value'] as const

export function addDagVersionRoutes(door: Door, { dags, runList, pools, recorder }: AirflowDoorOptions): void {
  door.get('/api/v2/dagSources/:dag', permit('dags.read'), async (c) => {
    const { version_number: version = 1 } = readQuery(c.req, { version_number: one(whole(1)) })
    const { dagId, source } = await findDag(dags, c.req.param('dag'))
    requireFirst(dagId, version)
    if (c.req.header('accept')?.includes('text/plain')) return c.text(source)
    return c.json({ content: source, dag_id: dagId, dag_display_name: dagId, version_number: 1 })
  })

  door.get('/api/v2/dags/:dag/dagVersions', permit('dags.read'), async (c) => {
    const orders = { id: 'id', version_number: 'version_number', bundle_name: 'dag_id', bundle_version: 'dag_id' } as const
    const filters = { version_number: one(whole(1)), bundle_name: one(text), bundle_version: one(text) }
    const query = readQuery(c.req, { ...paging, ...ordering(orders), ...filters })
    const id = c.req.param('dag')
    const records = id === ANY ? await dags.list() : [await findDag(dags, id)]
    const isNone = (query.version_number ?? 1) !== 1 || (query.bundle_name ?? BUNDLE) !== BUNDLE || query.bundle_version !== undefined
    const versions = isNone ? [] : records.map(presentVersion)
    const page = pageOfItems(versions, pageOf(query), query.order_by, (each, column) => each[column])
    return c.json({ dag_versions: page, total_entries: versions.length })
  })

  door.get('/api/v2/dags/:dag/dagVersions/:version', permit('dags.read'), async (c) => {
    const dag = await findDag(dags, c.req.param('dag'))
    requireFirst(dag.dagId, Number(c.req.param('version')))
    return c.json(presentVersion(dag))
  })

  door.get('/api/v2/dagStats', permit('dags.read'), async (c) => {
    const { dag_ids: ids } = readQuery(c.req, { dag_ids: many(text) })
    const counted = await runList.countStates(ids)
    const known = ids ?? (await dags.list()).map(({ dagId }) => dagId)
    const stats = known.map((dagId) => ({
      dag_id: dagId,
      dag_display_name: dagId,
      stats: RUN_STATES.map((state) => ({
        state,
        count: counted.find((each) => each.dagId === dagId && each.state === state)?.count ?? 0,
      })),
    }))
    return c.json({ dags: stats, total_entries: stats.length })
  })

  door.get('/api/v2/dagWarnings', permit('dags.read'), async (c) => {
    const orders = { dag_id: 'dag_id', warning_type: 'warning_type', message: 'message', timestamp: 'timestamp' } as const
    const query = readQuery(c.req, { ...paging, ...ordering(orders), dag_id: one(text), warning_type: one(choice(WARNINGS)) })
    const known = new Set((await pools.list()).map(({ name }) => name))
    const warnings = (await dags.list())
      .filter(({ dagId }) => query.dag_id === undefined || dagId === query.dag_id)
      .flatMap(({ dagId, document, parsedAt }) => {
        const missing = [...new Set(document.tasks.map(({ pool }) => pool))].filter((pool) => !known.has(pool))
        return missing.map((pool) => ({
          dag_id: dagId,
          dag_display_name: dagId,
          warning_type: 'non-existent pool',
          message: `DAG "${dagId}" has tasks in the pool "${pool}", which does not exist: they wait until somebody makes it with POST /api/v2/pools.`,
          timestamp: parsedAt,
        }))
      })
      .filter((warning) => query.warning_type === undefined || warning.warning_type === query.warning_type)
    const page = pageOfItems(warnings, pageOf(query), query.order_by, (each, column) => each[column])
    return c.json({ dag_warnings: page, total_entries: warnings.length })
  })

  // Files are read as soon as they change, so there is nothing left to do for one that is known.
  door.put('/api/v2/parseDagFile/:token', permit('dags.run'), recorded(recorder, 'reparse_dag_file'), async (c) => {
    const known = [...(await dags.list({ includeStale: true })), ...(await dags.importErrors())]
    if (known.some(({ file }) => fileToken(file) === c.req.param('token'))) return c.json(null, 201)
    throw new AppError('not_found', 'There is no DAG file of this token. GET /api/v2/dags has the file_token of each DAG.')
  })
}

function requireFirst(dagId: string, version: number): void {
  if (version !== 1) throw new AppError('not_found', `DAG "${dagId}" has no version ${version}: only the present one, 1, is kept.`)
}
