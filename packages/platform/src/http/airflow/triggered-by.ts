/** By which way somebody has triggered a run. Who it was is another matter, and proven by the token. */
import type { Context } from 'hono'
import { getCookie } from 'hono/cookie'
import { COMMAND_LINE_AGENT } from '../../core/user-agent.ts'
import type { TriggeredBy } from '../../scheduling/dag-run.ts'
import { sessionCookieName } from '../session-cookie.ts'

/** `ui` for the session of a browser, `cli` for who names himself so, else `rest_api`. */
export function triggeredBy(context: Context): TriggeredBy {
  const { req } = context
  if (req.header('authorization') === undefined && getCookie(context, sessionCookieName(req.raw)) !== undefined) return 'ui'
  return req.header('user-agent')?.split('/', 1)[0] === COMMAND_LINE_AGENT ? 'cli' : 'rest_api'
}
