/** The logs of tries in Airflow's words: as structured lines, a page at a time or as a whole. */
import { AppError } from '../../core/app-error.ts'
import { isActive } from '../../scheduling/task-instance.ts'
import { badRequest } from '../airflow-error.ts'
import { one, readQuery, text, truth, whole } from '../airflow-query.ts'
import { type Door, permit } from '../door.ts'
import type { AirflowDoorOptions } from './airflow-door.ts'
import { findInstance, numberOf } from './request.ts'

/** How many lines one answer has, unless the full content is asked for. */
const PAGE_LINES = 5000

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
    const log = (await options.logs.read({ dagId: dag, runId: run, taskId: task, mapIndex, tryNumber })) ?? ''
    const accept = c.req.header('accept') ?? ''
    if (accept.includes('text/plain')) return c.text(log)
    const lines = structured(log)
    if (accept.includes('application/x-ndjson'))
      return c.body(lines.map((line) => `${JSON.stringify(line)}\n`).join(''), 200, { 'Content-Type': 'application/x-ndjson' })
    const from = query.token === undefined ? 0 : lineOfToken(query.token)
    const content = query.full_content ? lines.slice(from) : lines.slice(from, from + PAGE_LINES)
    const next = from + content.length
    const grows = tryNumber === instance.tryNumber && isActive(instance.state)
    return c.json({ content, continuation_token: next < lines.length || (grows && !query.full_content) ? tokenOfLine(next) : null })
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

const tokenOfLine = (line: number): string => Buffer.from(JSON.stringify({ line })).toString('base64url')

function lineOfToken(token: string): number {
  try {
    const { line } = JSON.parse(Buffer.from(token, 'base64url').toString('utf8')) as { line?: unknown }
    if (typeof line === 'number' && Number.isInteger(line) && line >= 0) return line
  } catch {
    // Said below.
  }
  const msg = 'This token is none of ours. Take the continuation_token of the answer before.'
  throw badRequest(msg, [{ loc: ['query', 'token'], msg, type: 'value_error' }])
}
