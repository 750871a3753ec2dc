/** Connections as JSON: the fields of Airflow's environment variables, and of its exports. */
import { AppError, didYouMean } from '../core/app-error.ts'
import { type Connection, checkedPort, normalType, parseExtra } from './connection.ts'
import { connectionFromUri } from './connection-uri.ts'

const TEXTS = ['conn_type', 'host', 'schema', 'login', 'password', 'description'] as const
/** `extra_dejson` is another name of `extra`; exports of some versions tell of encryption, which is ours to do. */
const KNOWN = [...TEXTS, 'port', 'extra', 'extra_dejson', 'conn_id', 'uri', 'is_encrypted', 'is_extra_encrypted', 'team_name'] as const

/** Reads fields. Throws `invalid` with every problem, and never says what is in a field: there may be secrets in it. */
export function connectionFromFields(id: string, fields: Readonly<Record<string, unknown>>): Connection {
  const problems: string[] = []
  for (const name of Object.keys(fields))
    if (!(KNOWN as readonly string[]).includes(name)) problems.push(`There is no field "${name}".${didYouMean(name, KNOWN)}`)
  const text = (name: (typeof TEXTS)[number] | 'uri'): string | null => {
    const value = fields[name]
    if (value === undefined || value === null) return null
    if (typeof value === 'string' || typeof value === 'number') return String(value)
    problems.push(`Its ${name} is not a text.`)
    return null
  }
  if (fields.conn_id !== undefined && fields.conn_id !== null && fields.conn_id !== id) problems.push('Its conn_id is another one.')
  if (fields.extra !== undefined && fields.extra_dejson !== undefined)
    problems.push('It has both extra and extra_dejson. Give one of them.')
  const type = text('conn_type')
  const uri = text('uri')
  if (uri !== null && Object.keys(fields).some((name) => !['uri', 'conn_id', 'description'].includes(name)))
    problems.push('It has a uri and other fields beside it. Give the uri, or the fields.')
  if (uri === null && (type === null || type.trim() === '')) problems.push('It has no conn_type, such as "http" or "postgres".')
  const port = checkedPort(fields.port ?? null, problems)
  const extra = extraOf(id, fields.extra ?? fields.extra_dejson, problems)
  const [host, schema, login, password, description] = [text('host'), text('schema'), text('login'), text('password'), text('description')]
  if (problems.length > 0) throw new AppError('invalid', `Connection "${id}" cannot be read:`, { problems })
  if (uri !== null) return { ...connectionFromUri(id, uri), description }
  return { id, type: normalType(type ?? ''), host, port, schema, login, password, extra, description }
}

function extraOf(id: string, extra: unknown, problems: string[]): Record<string, unknown> {
  if (extra === undefined || extra === null) return {}
  try {
    return parseExtra(id, typeof extra === 'string' ? extra : JSON.stringify(extra))
  } catch (error) {
    problems.push((error as AppError).message)
    return {}
  }
}

/** The fields of a connection as Airflow exports them. */
export const connectionToFields = ({ type, description, login, password, host, port, schema, extra }: Connection) => ({
  conn_type: type,
  description,
  login,
  password,
  host,
  port,
  schema,
  extra: Object.keys(extra).length === 0 ? null : JSON.stringify(extra),
})
