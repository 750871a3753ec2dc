/** The platform as commands see it: its doors, over HTTP, like any other client. */
import { AppError, type ErrorCode } from '../core/app-error.ts'
import { COMMAND_LINE_AGENT } from '../core/user-agent.ts'

export class PlatformClient {
  readonly endpoint: string
  readonly #token: () => Promise<string>

  /** `token`: a bearer token that opens what the command needs, or what answers one that is still good. */
  constructor({ endpoint, token }: { readonly endpoint: string; readonly token: string | (() => Promise<string>) }) {
    this.endpoint = endpoint
    this.#token = typeof token === 'string' ? async () => token : token
  }

  get<T>(path: string, signal?: AbortSignal): Promise<T> {
    return this.#json<T>('GET', path, undefined, signal)
  }

  post<T>(path: string, body: object, signal?: AbortSignal): Promise<T> {
    return this.#json<T>('POST', path, body, signal)
  }

  patch<T>(path: string, body: object, signal?: AbortSignal): Promise<T> {
    return this.#json<T>('PATCH', path, body, signal)
  }

  put<T>(path: string, body?: object, signal?: AbortSignal): Promise<T> {
    return this.#json<T>('PUT', path, body, signal)
  }

  delete(path: string, signal?: AbortSignal): Promise<void> {
    return this.#json<void>('DELETE', path, undefined, signal)
  }

  /** The answer as plain text, of an address that can also answer JSON. */
  async text(path: string, signal?: AbortSignal): Promise<string> {
    return (await this.#fetch('GET', path, undefined, signal, 'text/plain')).text()
  }

  /** Null when the platform has no such thing. */
  async find<T>(path: string, signal?: AbortSignal): Promise<T | null> {
    try {
      return await this.get<T>(path, signal)
    } catch (error) {
      if (error instanceof AppError && error.code === 'not_found') return null
      throw error
    }
  }

  /** Changes what is at `path`, or makes it with a POST to `list`: also when somebody else makes it at the same moment. */
  async save<T>(path: string, changed: object, list: string, made: object): Promise<{ readonly saved: T; readonly isNew: boolean }> {
    const change = async () => ({ saved: await this.patch<T>(path, changed), isNew: false })
    if ((await this.find(path)) !== null) return change()
    try {
      return { saved: await this.post<T>(list, made), isNew: true }
    } catch (error) {
      if (error instanceof AppError && error.code === 'conflict') return change()
      throw error
    }
  }

  /** Every thing of a list that is answered in pages (`limit`, `offset`, `total_entries`), or the first `most`. */
  async list<T>(path: string, field: string, { signal, most = Number.POSITIVE_INFINITY }: ListOptions = {}): Promise<T[]> {
    const all: T[] = []
    const mark = path.includes('?') ? '&' : '?'
    for (;;) {
      const limit = Math.min(PAGE, most - all.length)
      const page = await this.get<Record<string, unknown>>(`${path}${mark}limit=${limit}&offset=${all.length}`, signal)
      const items = (page[field] ?? []) as T[]
      all.push(...items)
      if (items.length === 0 || all.length >= Math.min(most, (page.total_entries as number | undefined) ?? 0)) return all
    }
  }

  /** Server-sent events of `path`, those behind the number `lastId`, until the stream or `signal` ends. */
  async *events(path: string, signal: AbortSignal, lastId = 0): AsyncGenerator<{ type: string; data: string }> {
    const response = await this.#fetch(
      'GET',
      path,
      undefined,
      signal,
      'text/event-stream',
      lastId === 0 ? {} : { 'last-event-id': `${lastId}` },
    )
    let buffer = ''
    for await (const chunk of (response.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream())) {
      buffer += chunk
      const blocks = buffer.split('\n\n')
      buffer = blocks.pop() ?? ''
      for (const block of blocks) {
        const field = (name: string) =>
          block
            .split('\n')
            .filter((line) => line.startsWith(`${name}:`))
            .map((line) => line.slice(name.length + 1).trimStart())
            .join('\n')
        if (field('data') !== '') yield { type: field('event') || 'message', data: field('data') }
      }
    }
  }

  async #json<T>(method: string, path: string, body: object | undefined, signal?: AbortSignal): Promise<T> {
    const response = await this.#fetch(method, path, body, signal)
    return (response.status === 204 ? undefined : await response.json()) as T
  }

  /** Throws what the platform answered when it is not a success. `facts.sentence` is what it says to people. */
  async #fetch(
    method: string,
    path: string,
    body: object | undefined,
    signal?: AbortSignal,
    accept = 'application/json',
    more: Readonly<Record<string, string>> = {},
  ): Promise<Response> {
    const headers: Record<string, string> = {
      authorization: `Bearer ${await this.#token()}`,
      'user-agent': COMMAND_LINE_AGENT,
      accept,
      ...more,
    }
    if (body) headers['content-type'] = 'application/json'
    let response: Response
    try {
      response = await fetch(`${this.endpoint}${path}`, {
        method,
        headers,
        // A token must not follow to where another server sends it.
        redirect: 'error',
        ...(body ? { body: JSON.stringify(body) } : {}),
        ...(signal ? { signal } : {}),
      })
    } catch (cause) {
      if (signal?.aborted) throw cause
      const reason = (cause as { cause?: Error }).cause?.message || (cause as Error).message
      throw new AppError('unavailable', `Cannot reach the platform at ${this.endpoint}: ${reason}. Is it running?`, { cause })
    }
    if (response.ok) return response
    const answer = (await response.text()).slice(0, 10_000)
    throw new AppError(codeOf(response.status), `${method} ${path} was answered with ${response.status}: ${answer.slice(0, 2000)}`, {
      status: response.status,
      sentence: sentenceOf(answer),
    })
  }
}

interface ListOptions {
  readonly signal?: AbortSignal
  readonly most?: number
}

/** As many as the doors answer at once. */
const PAGE = 100

const CODES: Readonly<Record<number, ErrorCode>> = { 401: 'unauthenticated', 403: 'forbidden', 404: 'not_found', 409: 'conflict' }
const codeOf = (status: number): ErrorCode => CODES[status] ?? (status < 500 ? 'invalid' : 'unavailable')

/** One of the things that are wrong with a request. */
interface Invalid {
  readonly loc?: readonly (string | number)[]
  readonly msg?: string
}

/** Where the door names an address that helps, the command that does the same. */
const inCommands = (sentence: string): string =>
  sentence
    .replace(
      /GET \/api\/v2\/(dags|variables|connections|pools|assets|backfills) lists them\./,
      (_, noun: string) => `See: daggerboard ${noun === 'backfills' ? 'backfill' : noun} list`,
    )
    .replace('GET /auth/users lists them.', 'See: daggerboard users list')
    .replace('GET /api/v2/importErrors lists them.', 'See: daggerboard dags list-import-errors')

/** `slots: Too small.`; only the sentence when it names its place itself. */
function problemOf({ loc = [], msg = 'does not fit' }: Invalid): string {
  const place = loc.slice(1).join('.')
  const sentence = /[.!?]$/.test(msg) ? msg : `${msg}.`
  return place === '' || sentence.includes(`"${loc.at(-1)}"`) ? sentence : `${place}: ${sentence}`
}

/** From Airflow's `detail`, or our own `error.message`. */
function sentenceOf(answer: string): string | undefined {
  try {
    const { detail, error } = JSON.parse(answer) as { detail?: unknown; error?: { message?: unknown } }
    const sentence = detail ?? error?.message
    if (Array.isArray(sentence)) return [...new Set(sentence.map(problemOf))].join('\n') || undefined
    return typeof sentence === 'string' ? inCommands(sentence) : undefined
  } catch {
    return undefined
  }
}

/** A path whose parts are escaped: `path\`/api/v2/dags/${dagId}\``. Throws a usage error for a part that would make it another path. */
export const path = (strings: TemplateStringsArray, ...parts: readonly (string | number)[]): string =>
  String.raw({ raw: strings }, ...parts.map((part) => segment(String(part))))

function segment(part: string): string {
  if (!['', '.', '..'].includes(part)) return encodeURIComponent(part)
  throw new AppError('invalid', `Nothing can be called "${part}": an address has no room for such a name.`, { exitStatus: 2 })
}

/** `?a=1&b=2` of what is there; a list gives its name several times. */
export function query(values: Readonly<Record<string, string | number | boolean | readonly string[] | null | undefined>>): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(values))
    for (const each of Array.isArray(value) ? value : [value]) if (each !== undefined && each !== null) search.append(name, String(each))
  return search.size === 0 ? '' : `?${search}`
}
