/** Connections: where a system is and how to get in. Field names, the URI form and the environment variables are Airflow's. */
import { AppError, didYouMean } from '../core/app-error.ts'
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

export interface ConnectionStore {
  find(id: string): Promise<Connection | null>
  list(): Promise<Connection[]>
  save(connection: Connection): Promise<void>
  delete(id: string): Promise<boolean>
}

/** The connection of that id: the environment (`DAGGERBOARD_CONN_ID`, then `AIRFLOW_CONN_ID`) before the store. Throws `not_found`. */
export async function readConnection(id: string, store: ConnectionStore, environment: Environment): Promise<Connection> {
  const name = id.toUpperCase()
  const text = environment[`DAGGERBOARD_CONN_${name}`] ?? environment[`AIRFLOW_CONN_${name}`]
  if (text !== undefined) return parseConnection(id, text)
  const connection = await store.find(id)
  if (connection) return connection
  const known = (await store.list()).map((each) => each.id)
  throw new AppError(
    'not_found',
    `There is no connection "${id}".${didYouMean(id, known)} Add it with POST /api/v2/connections or the environment variable AIRFLOW_CONN_${name}.`,
  )
}

/** Reads a connection from JSON (`{"conn_type": …}`) or a URI (`type://login:password@host:port/schema?key=value`). Throws `invalid`. */
export function parseConnection(id: string, text: string): Connection {
  return text.trimStart().startsWith('{') ? fromJson(id, text) : fromUri(id, text)
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

function fromJson(id: string, text: string): Connection {
  let fields: Record<string, unknown>
  try {
    fields = JSON.parse(text)
  } catch (cause) {
    throw new AppError('invalid', `Connection "${id}" is not valid JSON. Give {"conn_type": …, "host": …} or a URI.`, { cause })
  }
  const string = (name: string) => (fields[name] === undefined || fields[name] === null ? null : String(fields[name]))
  const { extra } = fields
  return {
    id,
    type: string('conn_type') ?? '',
    host: string('host'),
    port: fields.port === undefined || fields.port === null ? null : Number(fields.port),
    schema: string('schema'),
    login: string('login'),
    password: string('password'),
    extra: parseExtra(id, typeof extra === 'string' ? extra : JSON.stringify(extra ?? {})),
    description: string('description'),
  }
}

function fromUri(id: string, text: string): Connection {
  // WHATWG URLs treat unknown schemes loosely, so the parts are read as of an http URL, under the connection's own type.
  const [, type, rest] = /^([\w.+-]+):\/\/(.*)$/s.exec(text) ?? []
  if (type === undefined || rest === undefined || !URL.canParse(`http://${rest.startsWith('/') || rest === '' ? 'none' : ''}${rest}`))
    throw new AppError('invalid', `Connection "${id}" is neither JSON nor a URI such as type://login:password@host:1234/schema?key=value.`)
  const hasHost = !(rest.startsWith('/') || rest.startsWith('?') || rest === '')
  const url = new URL(`http://${hasHost ? '' : 'none'}${rest}`)
  const decode = (part: string) => {
    try {
      return part === '' ? null : decodeURIComponent(part)
    } catch {
      throw new AppError('invalid', `The URI of connection "${id}" has a "%" that stands for nothing. Write a "%" of its own as "%25".`)
    }
  }
  const { __extra__: nested, ...flat } = Object.fromEntries(url.searchParams)
  return {
    id,
    type: type.replaceAll('-', '_'),
    host: hasHost ? decode(url.hostname) : null,
    port: /:(\d+)(?:[/?]|$)/.test(rest) ? Number(url.port || 80) : null,
    schema: decode(url.pathname.slice(1)),
    login: decode(url.username),
    password: decode(url.password),
    extra: nested === undefined ? flat : parseExtra(id, nested),
    description: null,
  }
}
