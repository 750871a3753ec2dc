/** Connections as URIs, both ways: `type://login:password@host:port/schema?key=value`, each part percent-encoded, by Airflow's rules. */
import { AppError } from '../core/app-error.ts'
import { type Connection, checkedPort, normalType, parseExtra } from './connection.ts'

/** The name in the query that carries an extra which is not flat. */
const EXTRA_KEY = '__extra__'
const SCHEME = /^([a-z][\w+.-]*):\/\/(.*)$/is

/** Reads a URI. Throws `invalid` with every problem, and never says what it read: there may be secrets in it. */
export function connectionFromUri(id: string, text: string): Connection {
  const [, type, rest] = SCHEME.exec(text.trim()) ?? []
  if (type === undefined || rest === undefined)
    throw new AppError('invalid', `Connection "${id}" is neither JSON nor a URI such as type://login:password@host:1234/schema?key=value.`)
  const problems: string[] = []
  if (rest.includes('#')) problems.push('It has a "#" of its own. Write it as "%23".')
  const [, beforeQuery = '', query] = /^([^?]*)(?:\?(.*))?$/s.exec(rest) ?? []
  // The host may bring a protocol of its own: `http://https://example.com` is a connection of type http to https://example.com.
  const [, protocol = null, address = beforeQuery] = SCHEME.exec(beforeQuery) ?? []
  const [, authority = '', path = ''] = /^([^/]*)(?:\/(.*))?$/s.exec(address) ?? []
  const at = authority.lastIndexOf('@')
  const [, login = '', password] = /^([^:]*)(?::(.*))?$/s.exec(at < 0 ? '' : authority.slice(0, at)) ?? []
  const [, bracketed, plain, port] = /^(?:\[([^\]]*)\]|([^:]*))(?::(.*))?$/s.exec(authority.slice(at + 1)) ?? []
  if (bracketed === undefined && plain === undefined)
    problems.push('Its host has a ":" of its own. Write it as "%3A", or an IPv6 address in brackets.')
  const decode = (part: string | undefined): string | null => {
    if (part === undefined || part === '') return null
    try {
      return decodeURIComponent(part)
    } catch {
      problems.push('It has a "%" that stands for nothing. Write a "%" of its own as "%25".')
      return null
    }
  }
  const host = decode(bracketed ?? plain)
  const connection: Connection = {
    id,
    type: normalType(type.toLowerCase()),
    host: protocol === null ? host : `${protocol}://${host ?? ''}`,
    port: checkedPort(port === undefined || port === '' ? null : port, problems),
    schema: decode(path),
    login: decode(login),
    password: decode(password),
    extra: extraOf(id, query, problems),
    description: null,
  }
  if (problems.length > 0)
    throw new AppError('invalid', `The URI of connection "${id}" cannot be read:`, { problems: [...new Set(problems)] })
  return connection
}

function extraOf(id: string, query: string | undefined, problems: string[]): Record<string, unknown> {
  if (query === undefined || query === '') return {}
  const fields = Object.fromEntries(new URLSearchParams(query))
  const nested = fields[EXTRA_KEY]
  if (nested === undefined) return Object.fromEntries(Object.entries(fields).map(([name, text]) => [name, meaning(text)]))
  if (Object.keys(fields).length > 1)
    problems.push(`Its query has ${EXTRA_KEY}, which is the whole extra, and other names beside it. Put them into it.`)
  try {
    return parseExtra(id, nested)
  } catch (error) {
    problems.push((error as AppError).message)
    return {}
  }
}

/** As in Airflow 3 a value that is JSON is what it means: `timeout=5` is a number. One that JavaScript has no such number for stays a text. */
function meaning(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value !== 'number' || Number.isSafeInteger(value) || String(value) === text.trim() ? value : text
  } catch {
    return text
  }
}

/** The URI of a connection, from which `connectionFromUri` makes the same one, apart from its description: a URI has no place for that. */
export function connectionToUri({ type, host, port, schema, login, password, extra }: Connection): string {
  const [, protocol, bareHost = host ?? ''] = SCHEME.exec(host ?? '') ?? []
  const user = `${encode(login)}${password ? `:${encode(password)}` : ''}`
  const authority = `${user === '' ? '' : `${user}@`}${encode(bareHost)}`
  // A port alone would be read as a host.
  const place = port === null ? authority : `${authority === '' ? '@' : authority}:${port}`
  const path = schema ? `/${encode(schema)}` : ''
  const query = queryOf(extra)
  const tail = query === '' ? path : `${path || '/'}?${query}`
  return `${type.toLowerCase().replaceAll('_', '-')}://${protocol ? `${protocol}://` : ''}${place}${tail}`
}

const encode = (part: string | null): string =>
  encodeURIComponent((part ?? '').toWellFormed()).replaceAll(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`)

function queryOf(extra: Readonly<Record<string, unknown>>): string {
  const entries = Object.entries(extra)
  const isFlat = entries.every(
    ([name, value]) =>
      name !== EXTRA_KEY && typeof value === 'string' && meaning(value) === value && value.isWellFormed() && name.isWellFormed(),
  )
  return new URLSearchParams(isFlat ? (entries as [string, string][]) : { [EXTRA_KEY]: JSON.stringify(extra) }).toString()
}
