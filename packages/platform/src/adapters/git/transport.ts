/** Smart HTTP through real `git upload-pack` and `git receive-pack` children, streamed both ways. */
import { Readable } from 'node:stream'
import type { GitService, GitTransport } from '../../repositories/transport.ts'
import type { Git } from './git.ts'

const EXCHANGE_LIMIT_MS = 30 * 60_000

export class GitProcessTransport implements GitTransport {
  #git: Git

  constructor(git: Git) {
    this.#git = git
  }

  advertise(repository: string, service: GitService, protocol: string | undefined): ReadableStream<Uint8Array> {
    const heading = `# service=${service}\n`
    const packet = `${(heading.length + 4).toString(16).padStart(4, '0')}${heading}0000`
    const child = this.#spawn(repository, service, protocol, ['--advertise-refs'])
    child.stdin.end()
    return concat(Buffer.from(packet), child.stdout)
  }

  exchange(
    repository: string,
    service: GitService,
    protocol: string | undefined,
    body: ReadableStream<Uint8Array>,
    signal: AbortSignal,
  ): { answer: ReadableStream<Uint8Array>; done: Promise<void> } {
    const child = this.#spawn(repository, service, protocol, [])
    const end = () => {
      try {
        if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGTERM')
      } catch {
        // It has ended meanwhile.
      }
    }
    const limit = AbortSignal.any([signal, AbortSignal.timeout(EXCHANGE_LIMIT_MS)])
    limit.addEventListener('abort', end, { once: true })
    child.once('close', () => limit.removeEventListener('abort', end))
    const input = Readable.fromWeb(body as Parameters<typeof Readable.fromWeb>[0])
    // A client that goes away, or a body that is not gzip after all, ends git too.
    input.on('error', end)
    input.pipe(child.stdin)
    const done = new Promise<void>((resolve) => child.once('close', () => resolve()))
    return { answer: concat(Buffer.alloc(0), child.stdout, done), done }
  }

  #spawn(repository: string, service: GitService, protocol: string | undefined, options: readonly string[]) {
    const child = this.#git.spawn(
      [service.slice('git-'.length), '--stateless-rpc', ...options, this.#git.path(repository)],
      protocol && /^[\w:=.-]{1,100}$/.test(protocol) ? { GIT_PROTOCOL: protocol } : {},
    )
    child.stdin.on('error', () => {})
    child.on('error', (error) => child.stdout.destroy(error))
    child.stderr.resume()
    return child
  }
}

/** `first`, then all of `stream`, ending after `end`. */
function concat(first: Buffer, stream: Readable, end: Promise<void> = Promise.resolve()): ReadableStream<Uint8Array> {
  async function* chunks(): AsyncGenerator<Uint8Array> {
    if (first.length > 0) yield first
    for await (const chunk of stream) yield chunk as Uint8Array
    await end
  }
  return ReadableStream.from(chunks()) as ReadableStream<Uint8Array>
}
