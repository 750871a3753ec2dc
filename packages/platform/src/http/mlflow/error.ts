/** Errors as MLflow words them: `{error_code, message}`. Its client repeats a call that was answered 5xx for minutes, so a bad request never is. */
import type { Context, ErrorHandler } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { type ErrorCode, errorCode, publicMessage } from '../../core/app-error.ts'
import type { DoorEnvironment } from '../door.ts'

/** A taken name is 400 in this protocol, where others say 409. */
const ANSWER: Readonly<Record<ErrorCode, readonly [code: string, status: ContentfulStatusCode]>> = {
  invalid: ['INVALID_PARAMETER_VALUE', 400],
  unauthenticated: ['UNAUTHENTICATED', 401],
  forbidden: ['PERMISSION_DENIED', 403],
  not_found: ['RESOURCE_DOES_NOT_EXIST', 404],
  conflict: ['RESOURCE_ALREADY_EXISTS', 400],
  unavailable: ['TEMPORARILY_UNAVAILABLE', 503],
  internal: ['INTERNAL_ERROR', 500],
}

/** The handler of a door's errors. Internal ones are told to `onInternalError` and not to the stranger. */
export const mlflowErrors =
  (onInternalError: (error: unknown) => void): ErrorHandler<DoorEnvironment> =>
  (error, c) => {
    if (errorCode(error) === 'internal') onInternalError(error)
    const [code, status] = ANSWER[errorCode(error)]
    if (status === 401) c.header('WWW-Authenticate', 'Bearer realm="daggerboard"')
    return c.json({ error_code: code, message: publicMessage(error) }, status)
  }

/** Newer clients take exactly this answer as the sign to use an older call. */
export const endpointNotFound = (c: Context<DoorEnvironment>) =>
  c.json(
    { error_code: 'ENDPOINT_NOT_FOUND', message: `No endpoint ${c.req.method} ${c.req.path}. It may belong to another version of MLflow.` },
    404,
  )

/** The client sends the file in one piece when it reads this. */
export const noMultipart = (c: Context<DoorEnvironment>) =>
  c.json(
    {
      error_code: 'NOT_IMPLEMENTED',
      message: 'Multipart upload is not supported for the current artifact repository. PUT the file in one piece.',
    },
    501,
  )
