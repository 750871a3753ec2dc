/** The platform as the tools see it: an address and a token, from the environment of the step. Only documented HTTP protocols are spoken. */
import { AppError, type ErrorCode } from '../../../core/app-error.ts'

const CODES: Readonly<Record<number, ErrorCode>> = {
  400: 'invalid',
  401: 'unauthenticated',
  403: 'forbidden',
  404: 'not_found',
  409: 'conflict',
  503: 'unavailable',
}

export interface RequestOptions {
  readonly method?: string
  /** Sent as JSON. */
  readonly json?: unknown
  /** Sent as it is. */
  readonly body?: RequestInit['body']
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

export class Endpoint {
  readonly url: string
  readonly token: string

  /** `url` without a slash at its end. */
  constructor(url: string, token: string) {
    this.url = url.replace(/\/+$/, '')
    this.token = token
  }

  /** Throws `invalid` when DAGGERBOARD_ENDPOINT is not set: the tool then runs outside of a build. */
  static fromEnvironment(environment: Readonly<Record<string, string | undefined>>): Endpoint {
    const { DAGGERBOARD_ENDPOINT: url, DAGGERBOARD_TOKEN: token } = environment
    if (!url || !token)
      throw new AppError('invalid', 'DAGGERBOARD_ENDPOINT and DAGGERBOARD_TOKEN are not set. Builds set them; elsewhere set them yourself.')
    return new Endpoint(url, token)
  }

  /** Any answer, whatever its status; throws `unavailable` when there is none. */
  async fetch(path: string, { method = 'GET', json, body, headers, signal }: RequestOptions = {}): Promise<Response> {
    try {
      return await fetch(`${this.url}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${this.token}`,
          ...(json === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(json !== undefined ? { body: JSON.stringify(json) } : body !== undefined ? { body } : {}),
        ...(signal ? { signal } : {}),
        ...(body instanceof ReadableStream ? { duplex: 'half' as const } : {}),
      })
    } catch (error) {
      if (signal?.aborted) throw error
      throw new AppError(
        'unavailable',
        `Cannot reach ${this.url}: ${(error as { cause?: Error }).cause?.message ?? (error as Error).message}.`,
        { cause: error },
      )
    }
  }

  /** The answer's JSON; throws AppError with the server's own words when the status is not 2xx. */
  async json<T = Record<string, unknown>>(path: string, options: RequestOptions = {}): Promise<T> {
    const response = await this.fetch(path, options)
    const text = await response.text()
    if (!response.ok) throw refusal(response.status, text, `${options.method ?? 'GET'} ${path}`)
    return (text === '' ? {} : JSON.parse(text)) as T
  }
}

/** The server's refusal as an AppError, in its own words where it has any. */
export function refusal(status: number, text: string, request: string): AppError {
  let message = `${request} was answered with status ${status}.`
  try {
    const { error } = JSON.parse(text) as { error?: { message?: string } }
    if (error?.message) message = error.message
  } catch {
    if (text.trim() !== '') message += ` ${text.trim().slice(0, 500)}`
  }
  return new AppError(CODES[status] ?? 'internal', message)
}
