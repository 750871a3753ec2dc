/** Sends calls to the tracking server: with the token, a time limit, and again when it was busy and the call may be repeated. */
import { setTimeout as sleep } from 'node:timers/promises'
import { errorOf, MlflowError, unreachable } from './error.ts'

export interface ConnectionOptions {
  readonly trackingUri: string
  readonly token?: string | undefined
  readonly signal?: AbortSignal | undefined
  /** How often a call that may be repeated is tried. */
  readonly tries?: number
  /** The rest after the first try; it doubles after each one. */
  readonly restMs?: number
}

type Fields = Readonly<Record<string, unknown>>

const BUSY: ReadonlySet<number> = new Set([408, 429, 502, 503, 504])
const CALL_TIMEOUT_MS = 120_000
const FILE_TIMEOUT_MS = 600_000
const DEFAULT_TRIES = 6
const DEFAULT_REST_MS = 250

export class Connection {
  readonly server: string
  #token: string | undefined
  #signal: AbortSignal | undefined
  #tries: number
  #restMs: number

  constructor({ trackingUri, token, signal, tries = DEFAULT_TRIES, restMs = DEFAULT_REST_MS }: ConnectionOptions) {
    this.server = trackingUri.replace(/\/+$/, '')
    this.#token = token
    this.#signal = signal
    this.#tries = tries
    this.#restMs = restMs
  }

  /** GET with `fields` as the query. */
  get<Answer>(path: string, fields: Fields = {}): Promise<Answer> {
    const query = new URLSearchParams(Object.entries(fields).map(([key, value]): [string, string] => [key, String(value)])).toString()
    return this.#json<Answer>('GET', `${path}${query ? `?${query}` : ''}`, undefined, true)
  }

  /** A call that says the same however often it is said: it is repeated when the server is busy. */
  put<Answer = unknown>(method: 'POST' | 'PATCH' | 'DELETE', path: string, fields: Fields): Promise<Answer> {
    return this.#json<Answer>(method, path, fields, true)
  }

  /** A call that makes something new each time: it is sent once. */
  create<Answer>(path: string, fields: Fields): Promise<Answer> {
    return this.#json<Answer>('POST', path, fields, false)
  }

  async upload(path: string, content: string | Uint8Array): Promise<void> {
    const body = typeof content === 'string' ? new TextEncoder().encode(content) : content
    const headers = { 'Content-Type': 'application/octet-stream' }
    await this.#send('PUT', artifactUrl(path), { body: body as Uint8Array<ArrayBuffer>, headers }, FILE_TIMEOUT_MS, true, bytesOf)
  }

  download(path: string): Promise<Uint8Array> {
    return this.#send('GET', artifactUrl(path), {}, FILE_TIMEOUT_MS, true, bytesOf)
  }

  async list(path: string): Promise<{ path: string; is_dir: boolean }[]> {
    const query = new URLSearchParams({ path })
    const listed = jsonOf<{ files?: { path: string; is_dir: boolean }[] }>
    return (await this.#send('GET', `/api/2.0/mlflow-artifacts/artifacts?${query}`, {}, CALL_TIMEOUT_MS, true, listed)).files ?? []
  }

  #json<Answer>(method: string, path: string, fields: Fields | undefined, isRepeatable: boolean): Promise<Answer> {
    const init = fields ? { body: JSON.stringify(fields), headers: { 'Content-Type': 'application/json' } } : {}
    return this.#send(method, `/api/2.0/mlflow/${path}`, init, CALL_TIMEOUT_MS, isRepeatable, jsonOf<Answer>)
  }

  /** An answer that breaks off while `read` takes it counts as none, and is asked for again like one. */
  async #send<Answer>(
    method: string,
    path: string,
    init: { body?: string | Uint8Array<ArrayBuffer>; headers?: Record<string, string> },
    timeoutMs: number,
    isRepeatable: boolean,
    read: (response: Response) => Promise<Answer>,
  ): Promise<Answer> {
    const call = `${method} ${path.split('?')[0]}`
    for (let attempt = 1; ; attempt++) {
      this.#signal?.throwIfAborted()
      const answer = await this.#try(call, method, path, init, timeoutMs, read)
      if (!(answer instanceof MlflowError)) return answer
      const isPassing = answer.status === 0 || BUSY.has(answer.status)
      if (!isRepeatable || !isPassing || attempt >= this.#tries) throw answer
      await sleep(this.#restMs * 2 ** (attempt - 1), undefined, this.#signal ? { signal: this.#signal } : {})
    }
  }

  async #try<Answer>(
    call: string,
    method: string,
    path: string,
    init: { body?: string | Uint8Array<ArrayBuffer>; headers?: Record<string, string> },
    timeoutMs: number,
    read: (response: Response) => Promise<Answer>,
  ): Promise<Answer | MlflowError> {
    const timeout = AbortSignal.timeout(timeoutMs)
    const signal = this.#signal ? AbortSignal.any([this.#signal, timeout]) : timeout
    const headers = { ...init.headers, ...(this.#token ? { Authorization: `Bearer ${this.#token}` } : {}) }
    try {
      const response = await fetch(`${this.server}${path}`, { ...init, method, headers, signal })
      return response.ok ? await read(response) : await errorOf(call, this.server, response)
    } catch (cause) {
      if (this.#signal?.aborted) throw this.#signal.reason
      return unreachable(call, this.server, cause)
    }
  }
}

const bytesOf = async (response: Response): Promise<Uint8Array> => new Uint8Array(await response.arrayBuffer())
const jsonOf = async <Answer>(response: Response): Promise<Answer> => (await response.json()) as Answer

const artifactUrl = (path: string): string => `/api/2.0/mlflow-artifacts/artifacts/${path.split('/').map(encodeURIComponent).join('/')}`

/** The path in the server's own store that an artifact URI stands for; throws when the artifacts are kept elsewhere. */
export function artifactPath(uri: string, ...below: readonly string[]): string {
  const [, path] = /^mlflow-artifacts:(?:\/\/[^/]*)?\/+(.*)$/.exec(uri) ?? []
  if (path === undefined)
    throw new Error(
      `The artifacts at "${uri}" cannot be reached through the tracking server. Let it serve artifacts (mlflow-artifacts:/…).`,
    )
  return [path, ...below].filter((part) => part !== '').join('/')
}
