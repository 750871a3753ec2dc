/** The logs of tries in Airflow's words: as structured lines, a page at a time or as a whole. */
import { AppError } from '../../core/app-error.ts'
import { LOG_BEGINNING, type LogPlace } from '../../execution/task-log.ts'
import { isActive } from '../../scheduling/task-instance.ts'
import { badRequest } from '../airflow-error.ts'
import { one, readQuery, text, truth, whole } from '../airflow-query.ts'
import { type Door, permit } from '../door.ts'
import type { AirflowDoorOptions } from './airflow-door.ts'
import { findInstance, numberOf } from './request.ts'

/** How much one answer has at most, unless the full content is asked for: it ends with the line that reaches one of these. */
const PAGE = { lines: 5000, characters: 4 * 1024 * 1024 }

export interface LogLine {
  readonly timestamp: string | null
  readonly event: string
}

/** Throws `not_found` when the task has not had that try. */
export async function findTry(
  { instances }: Pick<AirflowDoorOptions, 'instances'>,
  { dag, run, task, mapIndex, text }: { dag: string; run: string; task: string; mapIndex: number; text: string },
) {
  const instance = await findInstance(instances, dag, run, task, mapIndex)
  const tryNumber = numberOf('try_number', text)
  if (tryNumber >= 1 && tryNumber <= Math.max(1, instance.tryNumber)) return { instance, tryNumber }
  throw new AppError('not_found', `Task "${task}" in run "${run}" of DAG "${dag}" has no try ${text}; it has had ${instance.tryNumber}.`)
}

export function addTaskLogRoutes(door: Door, options: AirflowDoorOptions): void {
  const path = '/api/v2/dags/:dag/dagRuns/:run/taskInstances/:task'

  door.get(`${path}/logs/:try`, permit('dags.read'), async (c) => {
    const { dag, run, task, try: number } = c.req.param()
    const query = readQuery(c.req, { map_index: one(whole(-1)), full_content: one(truth), token: one(text) })
    const mapIndex = query.map_index ?? -1
    const { instance, tryNumber } = await findTry(options, { dag, run, task, mapIndex, text: number })
    const of = { dagId: dag, runId: run, taskId: task, mapIndex, tryNumber }
    const accept = c.req.header('accept') ?? ''
    if (accept.includes('text/plain')) return c.text((await options.logs.read(of)) ?? '')
    if (accept.includes('application/x-ndjson')) {
      const lines = structured((await options.logs.read(of)) ?? '').map((line) => `${JSON.stringify(line)}\n`)
      return c.body(lines.join(''), 200, { 'Content-Type': 'application/x-ndjson' })
    }
    const from = query.token === undefined ? LOG_BEGINNING : placeOfToken(query.token)
    const most = query.full_content ? { lines: Number.POSITIVE_INFINITY, characters: Number.POSITIVE_INFINITY } : PAGE
    const { text: log, next, hasMore } = (await options.logs.readFrom(of, from, most)) ?? { text: '', next: from, hasMore: false }
    const grows = tryNumber === instance.tryNumber && isActive(instance.state) && !query.full_content
    return c.json({ content: structured(log), continuation_token: hasMore || grows ? tokenOf(next) : null })
  })

  door.get(`${path}/externalLogUrl/:try`, permit('dags.read'), async (c) => {
    const { dag, run, task, try: number } = c.req.param()
    const mapIndex = readQuery(c.req, { map_index: one(whole(-1)) }).map_index ?? -1
    await findTry(options, { dag, run, task, mapIndex, text: number })
    throw new AppError(
      'not_found',
      'Logs are kept here and nowhere else, so there is no external address. GET …/logs/{try_number} has them.',
    )
  })
}

/** One line of a log as clients read it: the time in front of it apart. */
export function logLine(line: string): LogLine {
  const [, timestamp = null, event = line] = /^(\d{4}-\d\d-\d\dT\S+Z) (.*)$/s.exec(line) ?? []
  return { timestamp, event }
}

const structured = (log: string): LogLine[] => log.split('\n').slice(0, -1).map(logLine)

const tokenOf = ({ part, offset }: LogPlace): string => Buffer.from(JSON.stringify({ part, offset })).toString('base64url')

const isPlaceNumber = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0

function placeOfToken(token: string): LogPlace {
  try {
    const { part, offset } = JSON.parse(Buffer.from(token, 'base64url').toString('utf8')) as { part?: unknown; offset?: unknown }
    if (isPlaceNumber(part) && isPlaceNumber(offset)) return { part, offset }
  } catch {
    // Said below.
  }
  const msg = 'This token is none of ours. Take the continuation_token of the answer before.'
  throw badRequest(msg, [{ loc: ['query', 'token'], msg, type: 'value_error' }])
}
