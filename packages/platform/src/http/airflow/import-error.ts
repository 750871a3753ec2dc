/** Files that cannot be read, and DAGs that the scheduler cannot go on with, in Airflow's words. */
import { AppError } from '../../core/app-error.ts'
import type { ImportError } from '../../scheduling/dag.ts'
import type { Trouble } from '../../scheduling/quarantine.ts'
import { isFound } from '../airflow-like.ts'
import { pageOfItems } from '../airflow-list.ts'
import { one, ordering, pageOf, paging, patternOf, patterns, readQuery, text } from '../airflow-query.ts'
import { type Door, permit } from '../door.ts'
import type { AirflowDoorOptions } from './airflow-door.ts'
import { BUNDLE } from './dag-response.ts'

const ORDERS = {
  id: 'import_error_id',
  import_error_id: 'import_error_id',
  timestamp: 'timestamp',
  filename: 'filename',
  bundle_name: 'bundle_name',
  stacktrace: 'stack_trace',
} as const

export function addImportErrorRoutes(door: Door, { dags, scheduler }: AirflowDoorOptions): void {
  const all = async (): Promise<ImportError[]> => {
    const { troubles } = scheduler
    const ofFiles = await dags.importErrors()
    return [
      ...ofFiles,
      ...(await Promise.all(troubles.map(async (one) => ofTrouble(one, (await dags.find(one.subject.dagId))?.file ?? '')))),
    ]
  }

  door.get('/api/v2/importErrors', permit('dags.read'), async (c) => {
    const query = readQuery(c.req, { ...paging, ...ordering(ORDERS), ...patterns('filename'), filename: one(text), bundle_name: one(text) })
    const isAsked = (file: string) =>
      isFound(patternOf(query, 'filename'), file) &&
      (query.filename === undefined || query.filename === file) &&
      (query.bundle_name === undefined || query.bundle_name === BUNDLE)
    const errors = (await all()).filter(({ file }) => isAsked(file)).map(present)
    const page = pageOfItems(errors, pageOf(query), query.order_by, (each, column) => each[column])
    return c.json({ import_errors: page, total_entries: errors.length })
  })

  door.get('/api/v2/importErrors/:id', permit('dags.read'), async (c) => {
    const found = (await all()).find(({ id }) => String(id) === c.req.param('id'))
    if (!found) throw new AppError('not_found', `There is no import error ${c.req.param('id')}. GET /api/v2/importErrors lists them.`)
    return c.json(present(found))
  })
}

/** What the scheduler cannot do for a DAG, as if it were an error of its file: that is where people look, and where they can do something. */
function ofTrouble({ id, sentence, since, triesAgainAt }: Trouble, file: string): ImportError {
  const again =
    triesAgainAt === null ? 'It is tried again when the file changes.' : `It is tried again at ${triesAgainAt}, or when the file changes.`
  const message = `${sentence}${sentence.endsWith('.') ? '' : '.'} All other DAGs and runs go on. ${again}`
  return { id, file, line: null, message, trace: message, at: since }
}

/** `line` and `message` are ours; the rest is Airflow's. */
const present = ({ id, file, line, message, trace, at }: ImportError) => ({
  import_error_id: id,
  timestamp: at,
  filename: file,
  bundle_name: BUNDLE,
  stack_trace: line === null ? trace : `${file}:${line}\n${trace}`,
  line,
  message,
})
