/** The browser's session: a cookie whose name carries the port, because browsers give all ports of a host the same cookies. */

const NAME = 'daggerboard_session'

/** `daggerboard_session_8080` for a request to port 8080, so that two platforms on one host do not log each other out. */
export function sessionCookieName(request: Request): string {
  const host = request.headers.get('host') ?? new URL(request.url).host
  const port = /:(\d{1,5})$/.exec(host)?.[1]
  return port === undefined ? NAME : `${NAME}_${port}`
}

/** Whether `NAME=VALUE` is the session of any platform on this host. */
export const isSessionCookie = (cookie: string): boolean => cookie.startsWith(NAME)
