/** What goes wrong between this client and its server: which call, what was answered, what to do. */

export interface MlflowErrorFacts {
  readonly call: string
  /** 0 when there was no answer at all. */
  readonly status: number
  /** MLflow's own, such as RESOURCE_DOES_NOT_EXIST; empty when the answer had none. */
  readonly code: string
  readonly cause?: unknown
}

export class MlflowError extends Error {
  override readonly name = 'MlflowError'
  readonly call: string
  readonly status: number
  readonly code: string

  constructor(message: string, { call, status, code, cause }: MlflowErrorFacts) {
    super(message, cause === undefined ? undefined : { cause })
    this.call = call
    this.status = status
    this.code = code
  }
}

const MISSING = 'RESOURCE_DOES_NOT_EXIST'

/** Whether `error` says that what was asked for is not there, as opposed to a server that did not answer. */
export const isMissing = (error: unknown): boolean => error instanceof MlflowError && error.code === MISSING

/** The error of an answer that was a success and yet holds nothing. */
export const missing = (call: string, message: string): MlflowError => new MlflowError(message, { call, status: 404, code: MISSING })

/** Whether `error` says that a name is taken. Servers use either of two codes. */
export const isTaken = (error: unknown): boolean =>
  error instanceof MlflowError && (error.code === 'RESOURCE_ALREADY_EXISTS' || error.code === 'ALREADY_EXISTS')

/** The error of an answer that was not a success. */
export async function errorOf(call: string, server: string, response: Response): Promise<MlflowError> {
  const text = await response.text().catch(() => '')
  const { error_code = '', message = text.slice(0, 500) || response.statusText } = parsed(text)
  const answer = `${response.status}${error_code ? ` ${error_code}` : ''}`
  return new MlflowError(
    `${call}: the MLflow server at ${server} answered ${answer}: ${message.replace(/([^.!?])$/, '$1.')}${adviceFor(response.status)}`,
    {
      call,
      status: response.status,
      code: error_code,
    },
  )
}

/** The error of a call that got no answer. */
export function unreachable(call: string, server: string, cause: unknown): MlflowError {
  const reason = cause instanceof Error ? ((cause.cause as { code?: string } | undefined)?.code ?? cause.message) : String(cause)
  const message = `${call}: cannot reach the MLflow server at ${server}: ${reason}. Start it, or set MLFLOW_TRACKING_URI to where it is.`
  return new MlflowError(message, { call, status: 0, code: '', cause })
}

function parsed(text: string): { error_code?: string; message?: string } {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : {}
  } catch {
    return {}
  }
}

function adviceFor(status: number): string {
  if (status === 401) return ' Set MLFLOW_TRACKING_TOKEN to a token that is valid there.'
  if (status === 403) return ' Use a token that holds this permission.'
  return ''
}
