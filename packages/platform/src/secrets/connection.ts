/** Connections: where a system is and how to get in. Field names, the URI form and the environment variables are Airflow's. */
import { AppError, didYouMean } from '../core/app-error.ts'
import type { Page, Sort, TextFilter } from '../core/list-query.ts'
import { connectionFromFields } from './connection-json.ts'
import { connectionFromUri } from './connection-uri.ts'
import type { Environment } from './variable.ts'

export interface Connection {
  readonly id: string
  readonly type: string
  readonly host: string | null
  readonly port: number | null
  readonly schema: string | null
  readonly login: string | null
  readonly password: string | null
  readonly extra: Readonly<Record<string, unknown>>
  readonly description: string | null
}

/** By id where nothing else decides. */
export interface ConnectionPage extends Page {
  readonly idPattern?: TextFilter | undefined
  readonly sort: readonly Sort<'id' | 'type' | 'description' | 'host' | 'port'>[]
}

export interface ConnectionStore {
  find(id: string): Promise<Connection | null>
  list(): Promise<Connection[]>
  /** Only what stands on the page is decrypted. */
  page(query: ConnectionPage): Promise<{ connections: Connection[]; total: number }>
  ids(): Promise<string[]>
  save(connection: Connection): Promise<void>
  delete(id: string): Promise<boolean>
}

/** The connection of that id: the environment (`DAGGERBOARD_CONN_ID`, then `AIRFLOW_CONN_ID`; empty ones say nothing) before the store. Throws `not_found`. */
export async function readConnection(id: string, store: ConnectionStore, environment: Environment): Promise<Connection> {
  const name = id.toUpperCase()
  const text = environment[`DAGGERBOARD_CONN_${name}`] || environment[`AIRFLOW_CONN_${name}`]
  if (text) return parseConnection(id, text)
  const connection = await store.find(id)
  if (connection) return connection
  const known = await store.ids()
  throw new AppError(
    'not_found',
    `There is no connection "${id}".${didYouMean(id, known)} Add it with POST /api/v2/connections or the environment variable AIRFLOW_CONN_${name}.`,
  )
}

/** Reads a connection from JSON (`{"conn_type": …}`) or a URI (`type://login:password@host:port/schema?key=value`). Throws `invalid` with every problem. */
export function parseConnection(id: string, text: string): Connection {
  if (!text.trimStart().startsWith('{')) return connectionFromUri(id, text)
  let fields: Record<string, unknown>
  try {
    fields = JSON.parse(text)
  } catch {
    // The cause repeats what it read, and there may be secrets in it.
    throw new AppError('invalid', `Connection "${id}" is not valid JSON. Give {"conn_type": …, "host": …} or a URI.`)
  }
  return connectionFromFields(id, fields)
}

/** The extra of a connection from its JSON; throws `invalid`, and never says what it read: there may be secrets in it. */
export function parseExtra(id: string, text: string): Record<string, unknown> {
  let extra: unknown = null
  try {
    extra = text === '' ? {} : JSON.parse(text)
  } catch {
    // Said below, with what is no object.
  }
  if (typeof extra === 'object' && extra !== null && !Array.isArray(extra)) return extra as Record<string, unknown>
  throw new AppError('invalid', `The extra of connection "${id}" is not a JSON object. Give one such as {"project": "p"}.`)
}

/** Types have `_` where the schemes of URIs have `-`; `postgresql` is what drivers call `postgres`. */
export function normalType(type: string): string {
  const normal = type.trim().replaceAll('-', '_')
  return normal === 'postgresql' ? 'postgres' : normal
}

/** A port, or null; adds what is wrong with it to `problems`. */
export function checkedPort(port: unknown, problems: string[]): number | null {
  if (port === null || port === '') return null
  const number = typeof port === 'string' && /^\d{1,5}$/.test(port) ? Number(port) : port
  if (typeof number === 'number' && Number.isInteger(number) && number >= 0 && number <= 65535) return number
  problems.push('Its port is not a whole number from 0 to 65535.')
  return null
}
