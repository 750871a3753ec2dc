/** The platform's end of its channel to a child process. A pipe of our own: what comes through it is the child's word, and is never trusted. */
import type { ChildProcess } from 'node:child_process'
import type { Duplex } from 'node:stream'
import { CHANNEL_FD, FrameReader, frameOf } from './frame-reader.ts'

export interface ChildChannelOptions {
  /** False: these are no messages. */
  onFrame(messages: readonly unknown[]): boolean
  /** Something else than messages has come: from now on nothing is heard. `what` tells it, for the middle of a sentence. */
  onBroken(what: string): void
  /** The child has closed its end, mostly because it ends. */
  onEnd?(): void
}

/** For `spawn`: the fourth of `stdio`, where the child finds its end. */
export const CHANNEL = 'pipe'

/** In bytes: what a task may hand on has a bound far below it. */
const LONGEST_FRAME = 32 * 1024 * 1024
/** A process that has left the group of the child may hold its end for ever. */
const LAST_WORDS_MS = 500

export class ChildChannel {
  readonly #stream: Duplex | undefined
  readonly #reader: FrameReader

  constructor(child: ChildProcess, { onFrame, onBroken, onEnd }: ChildChannelOptions) {
    // There is none when no process could be started.
    this.#stream = child.stdio?.[CHANNEL_FD] as Duplex | undefined
    this.#reader = new FrameReader({
      longest: LONGEST_FRAME,
      onFrame,
      onBroken: (why) => {
        this.close()
        onBroken(`something that ${why} came through file descriptor ${CHANNEL_FD}, which is the channel to the platform`)
      },
    })
    this.#stream
      ?.on('data', (chunk: Buffer) => this.#reader.read(chunk))
      .on('error', () => {})
      .on('end', () => {
        this.close()
        onEnd?.()
      })
  }

  /** Never throws for a child that is gone; throws what `JSON.stringify` throws. */
  send(messages: readonly unknown[]): void {
    if (this.#stream?.writable) this.#stream.write(frameOf(messages))
  }

  /** Nothing is read until `resume`: a child that says more than fits has to wait. */
  pause(): void {
    this.#stream?.pause()
  }

  resume(): void {
    this.#stream?.resume()
  }

  /** To be called when the child has ended: all that it has said is heard before `then`. */
  afterLastWords(then: () => void): void {
    const stream = this.#stream
    if (stream && !stream.closed) {
      const timer = setTimeout(() => this.close(), LAST_WORDS_MS)
      stream.once('close', () => {
        clearTimeout(timer)
        then()
      })
    } else then()
  }

  /** Nothing is heard after it. */
  close(): void {
    this.#reader.stop()
    this.#stream?.destroy()
  }
}
