/** Variables and Connections as Airflow exports them: read, with every problem told at once, and written so that Airflow reads them. */
import { AppError } from '../core/app-error.ts'
import { type Connection, parseConnection } from './connection.ts'
import { connectionFromFields, connectionToFields } from './connection-json.ts'
import { connectionToUri } from './connection-uri.ts'
import { type Entries, type EntriesFormat, isEntries } from './entries.ts'
import { MASK, sensitiveTexts, sensitiveTextsIn } from './masking.ts'
import type { Variable } from './variable.ts'

const LONGEST_KEY = 250
const CONNECTION_ID = /^[\w.-]{1,250}$/

export interface Imported<Noun> {
  readonly found: readonly Noun[]
  /** Names of those that were exported with their secrets masked: they are not in `found`, or their secrets were lost. */
  readonly masked: readonly string[]
}

/** Each key stands for a value, or for `{"value": …, "description": …}`. What is no text is kept as JSON. Throws `invalid` with every problem. */
export function importVariables(entries: Entries): Imported<Variable> {
  const problems: string[] = []
  const found: Variable[] = []
  const masked: string[] = []
  for (const [key, given] of Object.entries(entries)) {
    const { value, description = null } = isDescribed(given) ? given : { value: given }
    if (key.trim() === '' || key.length > LONGEST_KEY)
      problems.push(`The key ${quote(key)} is empty or has more than ${LONGEST_KEY} characters.`)
    if (value === undefined) problems.push(`Variable ${quote(key)} has no value.`)
    if (description !== null && typeof description !== 'string') problems.push(`The description of variable ${quote(key)} is not a text.`)
    else {
      const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
      if (text === MASK || sensitiveTextsIn(text, key).includes(MASK)) masked.push(key)
      else found.push({ key, value: text, description })
    }
  }
  if (problems.length > 0) throw new AppError('invalid', 'These variables cannot be imported:', { problems })
  return { found, masked }
}

/** Any other object is a value of its own. */
const isDescribed = (given: unknown): given is { readonly value: unknown; readonly description?: unknown } =>
  isEntries(given) && 'value' in given && Object.keys(given).every((name) => name === 'value' || name === 'description')

/** Each id stands for a URI, for JSON as a text, or for fields; a list of one of them is that one. Throws `invalid` with every problem. */
export function importConnections(entries: Entries): Imported<Connection> {
  const problems: string[] = []
  const found: Connection[] = []
  const masked: string[] = []
  for (const [id, given] of Object.entries(entries)) {
    if (!CONNECTION_ID.test(id)) problems.push(`The id ${quote(id)} must be 1 to 250 letters, digits, "_", "." or "-".`)
    try {
      const connection = readConnection(id, given)
      const secrets = [connection.password, ...sensitiveTexts(connection.extra)]
      if (secrets.includes(MASK)) masked.push(id)
      else found.push(connection)
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      problems.push(
        ...(error.problems.length > 0 ? error.problems.map((problem) => `Connection ${quote(id)}: ${problem}`) : [error.message]),
      )
    }
  }
  if (problems.length > 0) throw new AppError('invalid', 'These connections cannot be imported:', { problems })
  return { found, masked }
}

function readConnection(id: string, given: unknown): Connection {
  if (Array.isArray(given) && given.length === 1) return readConnection(id, given[0])
  if (Array.isArray(given)) throw new AppError('invalid', `Connection ${quote(id)} has ${given.length} values, and can have only one.`)
  if (typeof given === 'string') return parseConnection(id, given)
  if (isEntries(given)) return connectionFromFields(id, given)
  throw new AppError('invalid', `Connection ${quote(id)} is neither a URI nor an object of fields.`)
}

/** What `importVariables`, and Airflow's, reads again. Lines hold no descriptions. */
export const exportVariables = (variables: readonly Variable[], format: EntriesFormat): Entries =>
  Object.fromEntries(
    variables.map(({ key, value, description }) => {
      if (format === 'env') return [key, value]
      return [key, description === null ? jsonOr(value) : { value: jsonOr(value), description }]
    }),
  )

/** What `importConnections`, and Airflow's, reads again: fields, or URIs as lines. */
export const exportConnections = (connections: readonly Connection[], format: EntriesFormat): Entries =>
  Object.fromEntries(
    connections.map((connection) => [connection.id, format === 'env' ? connectionToUri(connection) : connectionToFields(connection)]),
  )

/** Objects and lists as what they mean, as Airflow exports them; other texts stay texts, so that "007" is no 7. */
function jsonOr(value: string): unknown {
  if (!/^\s*[[{]/.test(value)) return value
  try {
    return JSON.parse(value)
  } catch {
    return value
  }
}

const quote = (name: string): string => JSON.stringify(name.length > 60 ? `${name.slice(0, 60)}…` : name)
