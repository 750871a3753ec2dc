/** Writes the changes that go through a route into the event log. */
import type { Context, MiddlewareHandler } from 'hono'
import { type EventLog, ownerOf } from '../accounts/event-log.ts'
import type { Clock } from '../core/clock.ts'
import { maskFields } from '../secrets/masking.ts'
import { bodyOf } from './airflow-body.ts'
import type { DoorEnvironment } from './door.ts'

const LONGEST_EXTRA = 10_000

/** Where changes are written to. */
export interface Recorder {
  readonly eventLog: EventLog
  readonly clock: Clock
}

export interface RecordOptions {
  /** What of the body the log may show: all of it with its sensitive fields masked, unless this says otherwise. */
  readonly shown?: (body: Readonly<Record<string, unknown>>) => unknown
}

/** What the handlers know and the request does not say. */
const FOUND = new WeakMap<Request, Found>()

interface Found {
  readonly dagId?: string
  readonly runId?: string
}

/** Has the entry of this request name what came of it. */
export const recordFound = (request: Request, found: Found): void => void FOUND.set(request, found)

/** Keeps what was done once it is done: who, when, with which names. What was refused has changed nothing and is not kept. */
export const recorded =
  ({ eventLog, clock }: Recorder, event: string, { shown = maskFields }: RecordOptions = {}): MiddlewareHandler<DoorEnvironment> =>
  async (c, next) => {
    await next()
    if (c.error || c.res.status >= 400) return
    const body = bodyOf(c.req.raw)
    const fields = typeof body === 'object' && body !== null && !Array.isArray(body) ? (body as Record<string, unknown>) : {}
    if (isDryRun(c, fields)) return
    const found = FOUND.get(c.req.raw)
    const params = c.req.param() as Record<string, string | undefined>
    const text = (value: unknown) => (typeof value === 'string' && value !== '~' ? value : null)
    const number = (value: unknown) => (value !== undefined && /^-?\d{1,9}$/.test(String(value)) ? Number(value) : null)
    await eventLog.append({
      at: clock.now().toISOString(),
      event,
      owner: ownerOf(c.get('principal')?.subject ?? ''),
      dagId: text(found?.dagId ?? params.dag ?? fields.dag_id),
      runId: text(found?.runId ?? params.run ?? fields.dag_run_id),
      taskId: text(params.task ?? fields.task_id),
      mapIndex: number(params.map ?? fields.map_index),
      tryNumber: number(params.try),
      logicalDate: text(fields.logical_date),
      extra: extraOf({ ...params, ...c.req.query() }, body === undefined ? undefined : shown(fields)),
    })
  }

function extraOf(names: object, body: unknown): string {
  const whole = JSON.stringify({ ...names, ...(body !== undefined && { body }) })
  return whole.length <= LONGEST_EXTRA ? whole : JSON.stringify({ ...names, body: `left out: ${whole.length} characters` })
}

/** Nothing was changed. Clearing tries first, unless it is told otherwise. */
const isDryRun = (c: Context, body: Readonly<Record<string, unknown>>): boolean =>
  /\/(clear|clearTaskInstances|clearDagRuns)$/.test(c.req.path) && body.dry_run !== false

/** Names only: for bodies whose values are secrets. */
export const only =
  (...names: readonly string[]) =>
  (body: Readonly<Record<string, unknown>>): unknown => {
    const pick = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(pick)
      if (typeof value !== 'object' || value === null) return value
      return Object.fromEntries(
        Object.entries(value)
          .filter(([name]) => names.includes(name))
          .map(([name, field]) => [name, pick(field)]),
      )
    }
    return pick(body)
  }
