/** What of the headers passes between callers and services. */
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http'
import { isSessionCookie } from '../session-cookie.ts'

/** What belongs to one connection and is not handed on (RFC 9110, 7.6.1). */
const HOP_BY_HOP = new Set([
  ...['connection', 'keep-alive', 'proxy-authenticate', 'proxy-authorization', 'proxy-connection', 'te', 'trailer', 'transfer-encoding'],
  // Node's server has answered "100-continue" already.
  ...['upgrade', 'expect'],
])

/** The caller's headers as a service gets them. `prefix` is what its root is called here, or empty. */
export function requestHeaders(given: IncomingHttpHeaders, prefix: string): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = {}
  for (const name in given) if (!HOP_BY_HOP.has(name)) headers[name] = given[name]
  for (const name of namedBy(given.connection)) delete headers[name]
  // The caller's credentials are for the platform; a service that held them could act as the caller.
  delete headers.authorization
  if (given.cookie !== undefined) {
    const cookies = given.cookie.split(/;\s*/).filter((cookie) => cookie !== '' && !isSessionCookie(cookie))
    if (cookies.length > 0) headers.cookie = cookies.join('; ')
    else delete headers.cookie
  }
  if (given['transfer-encoding'] !== undefined) headers['transfer-encoding'] = 'chunked'
  headers['x-forwarded-proto'] = 'http'
  headers['x-forwarded-host'] = given.host ?? ''
  if (prefix) headers['x-forwarded-prefix'] = prefix
  else delete headers['x-forwarded-prefix']
  return headers
}

/** The headers that `Connection` names besides its own words: they belong to the connection, too. */
const namedBy = (connection: string | undefined): string[] =>
  connection === undefined || connection === 'keep-alive' || connection === 'close'
    ? []
    : connection
        .toLowerCase()
        .split(',')
        .map((name) => name.trim())
        .filter((name) => !['host', 'content-length', 'transfer-encoding'].includes(name))

/** A service's own wishes here would weigh less than ours: only one of each may stand. */
const OURS = ['Content-Security-Policy', 'sandbox', 'X-Content-Type-Options', 'nosniff']
const REPLACED = new Set(OURS.filter((_, i) => i % 2 === 0).map((name) => name.toLowerCase()))

/**
 * A service's headers as its caller gets them, name after value. Services answer from the origin of our own pages: they may not set its
 * cookies, nor run scripts in it.
 */
export function responseHeaders(given: readonly string[]): string[] {
  const headers: string[] = []
  for (let i = 0; i + 1 < given.length; i += 2) {
    const name = given[i] as string
    const lower = name.toLowerCase()
    if (!HOP_BY_HOP.has(lower) && lower !== 'set-cookie' && !REPLACED.has(lower)) headers.push(name, given[i + 1] as string)
  }
  headers.push(...OURS)
  return headers
}
