/** What every door shares: who is asking, what they may do, and one answer for errors that each protocol may dress as its own. */
import { type Context, Hono, type MiddlewareHandler } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { AppError, type ErrorCode, errorCode, publicMessage } from '../core/app-error.ts'
import type { Permission, Principal } from '../core/principal.ts'

/**
 * `principal` is null for a stranger; `authenticationProblem` says why credentials that were sent did not count. `askAgain` looks at the
 * credentials of the request once more, and throws `unauthenticated` when they count no longer.
 */
export type DoorEnvironment = {
  Variables: { principal: Principal | null; authenticationProblem: string | null; askAgain?: () => Promise<Principal | null> }
}

export type Door = Hono<DoorEnvironment>

const STATUS: Readonly<Record<ErrorCode, ContentfulStatusCode>> = {
  invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  unavailable: 503,
  internal: 500,
}

const httpStatus = (error: unknown): ContentfulStatusCode => STATUS[errorCode(error)]

/** How a protocol words an error: Cloud Build, MLflow, OCI and Airflow each have a shape of their own. */
export type ErrorBody = (error: unknown, status: ContentfulStatusCode) => object

/** Ours, where no protocol says otherwise. */
const plainErrorBody: ErrorBody = (error) => ({
  error: { code: errorCode(error), message: publicMessage(error), problems: error instanceof AppError ? error.problems : [] },
})

/** Google's APIs: `{error: {code, message, status, errors}}`. */
export const googleErrorBody: ErrorBody = (error, status) => {
  const name = {
    400: 'INVALID_ARGUMENT',
    401: 'UNAUTHENTICATED',
    403: 'PERMISSION_DENIED',
    404: 'NOT_FOUND',
    409: 'ALREADY_EXISTS',
    412: 'FAILED_PRECONDITION',
    416: 'OUT_OF_RANGE',
    503: 'UNAVAILABLE',
  }[status as number]
  const message = publicMessage(error)
  return { error: { code: status, message, status: name ?? 'INTERNAL', errors: [{ message, domain: 'global', reason: errorCode(error) }] } }
}

export interface DoorOptions {
  readonly errorBody?: ErrorBody
  /** Sent with 401, so that clients such as git and docker know how to ask again. */
  readonly challenge?: string
  /** For protocols that have a status of their own for some errors (412, 416); null leaves it to the error's code. */
  readonly statusOf?: (error: unknown) => ContentfulStatusCode | null
  readonly onInternalError?: (error: unknown) => void
}

/** A new door: errors that leave its handlers are answered in its protocol's shape. Mount it in the composition with `app.route(path, door)`. */
export function createDoor({
  errorBody = plainErrorBody,
  challenge = 'Bearer realm="daggerboard"',
  statusOf = () => null,
  onInternalError = console.error,
}: DoorOptions = {}): Door {
  const door: Door = new Hono()
  door.onError((error, c) => {
    if (errorCode(error) === 'internal') onInternalError(error)
    const status = statusOf(error) ?? httpStatus(error)
    if (status === 401) c.header('WWW-Authenticate', challenge)
    return c.json(errorBody(error, status), status)
  })
  return door
}

/** For what goes wrong before a door has been found. */
export function answerError(error: Error, c: Context): Response {
  if (errorCode(error) === 'internal') console.error(error)
  const status = httpStatus(error)
  return c.json({ ...plainErrorBody(error, status), detail: publicMessage(error) }, status)
}

/** Lets only those pass who hold `permission`; strangers get 401, others 403. Give it per route, never per path prefix. */
export const permit =
  (permission: Permission): MiddlewareHandler<DoorEnvironment> =>
  async (c, next) => {
    requirePermission(c, permission)
    await next()
  }

/** The principal behind the request, if it holds `permission`; throws `unauthenticated` or `forbidden`. */
export function requirePermission(c: Context<DoorEnvironment>, permission: Permission): Principal {
  const who = c.get('principal')
  if (!who)
    throw new AppError(
      'unauthenticated',
      c.get('authenticationProblem') ?? 'This needs a token or a login. Send "Authorization: Bearer TOKEN"; POST /auth/token gives one.',
    )
  if (!who.permissions.has(permission))
    throw new AppError('forbidden', `${who.subject} may not do this: it needs the permission "${permission}".`)
  return who
}

/** Who reads a stream, and whether they still may: credentials expire and are taken back while a stream is open. Throws as {@link requirePermission}. */
export function streamReader(c: Context<DoorEnvironment>, permission: Permission): { reader: string; mayRead: () => Promise<boolean> } {
  const who = requirePermission(c, permission)
  const ask = c.get('askAgain') ?? (async () => who)
  const mayRead = async () => {
    try {
      return (await ask())?.permissions.has(permission) ?? false
    } catch {
      return false
    }
  }
  return { reader: who.subject, mayRead }
}
