/** The port to git's own server side: what the smart HTTP door hands on, as streams. */

export type GitService = 'git-upload-pack' | 'git-receive-pack'

export interface GitTransport {
  /** The references, as the answer to `info/refs?service=…`. `protocol` is the client's Git-Protocol header. */
  advertise(repository: string, service: GitService, protocol: string | undefined): ReadableStream<Uint8Array>
  /** One stateless exchange. `done` resolves when git has ended, also when the client has gone: a push is then in place, or not at all. */
  exchange(
    repository: string,
    service: GitService,
    protocol: string | undefined,
    body: ReadableStream<Uint8Array>,
    signal: AbortSignal,
  ): { answer: ReadableStream<Uint8Array>; done: Promise<void> }
}
