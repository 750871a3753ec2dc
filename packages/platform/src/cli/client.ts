/** The platform as commands see it: its doors, over HTTP, like any other client. */
import { AppError } from '../core/app-error.ts'

export class PlatformClient {
  readonly endpoint: string
  readonly #token: string

  /** `token`: a bearer token that opens what the command needs. */
  constructor({ endpoint, token }: { readonly endpoint: string; readonly token: string }) {
    this.endpoint = endpoint
    this.#token = token
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

  /** Server-sent events of `path`, until the stream or `signal` ends. */
  async *events(path: string, signal: AbortSignal): AsyncGenerator<{ type: string; data: string }> {
    const response = await this.#fetch('GET', path, undefined, signal)
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
    return (await (await this.#fetch(method, path, body, signal)).json()) as T
  }

  /** Throws what the platform answered when it is not a success. */
  async #fetch(method: string, path: string, body: object | undefined, signal?: AbortSignal): Promise<Response> {
    const headers: Record<string, string> = { authorization: `Bearer ${this.#token}` }
    if (body) headers['content-type'] = 'application/json'
    const response = await fetch(`${this.endpoint}${path}`, {
      method,
      headers,
      ...(body ? { body: JSON.stringify(body) } : {}),
      ...(signal ? { signal } : {}),
    })
    if (response.ok) return response
    const code = response.status === 404 ? 'not_found' : response.status < 500 ? 'invalid' : 'unavailable'
    throw new AppError(code, `${method} ${path} was answered with ${response.status}: ${(await response.text()).slice(0, 2000)}`, {
      status: response.status,
    })
  }
}
