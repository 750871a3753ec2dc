/** Frames of the channel between the platform and a child process: each is a list of messages, as one line of JSON. Pure. */

export interface FrameReaderOptions {
  /** Hears the frames in their order, each as soon as it is whole. False: these are no messages. */
  onFrame(messages: readonly unknown[]): boolean
  /** Hears once, and nothing after it, that what came is no frame. `why` goes on from "something that". */
  onBroken(why: string): void
  /** In bytes. Default: as long as memory lasts. */
  readonly longest?: number
}

/** Where a child finds its end of the channel. What it starts does not inherit it. */
export const CHANNEL_FD = 3

const LIST = '['.charCodeAt(0)
const NEWLINE = '\n'.charCodeAt(0)
const NO_MESSAGE = 'is no message'

/** A frame as it travels. Throws what `JSON.stringify` throws. */
export const frameOf = (messages: readonly unknown[]): string => `${JSON.stringify(messages)}\n`

export class FrameReader {
  readonly #options: FrameReaderOptions
  readonly #longest: number
  /** A frame whose end has not come yet: its first `#length` bytes. It grows by doubling, so that small pieces take no more than large ones. */
  #begun = Buffer.alloc(0)
  #length = 0
  #isStopped = false

  constructor(options: FrameReaderOptions) {
    this.#options = options
    this.#longest = options.longest ?? Number.POSITIVE_INFINITY
  }

  read(chunk: Buffer): void {
    for (let from = 0; from < chunk.length && !this.#isStopped; ) {
      const newline = chunk.indexOf(NEWLINE, from)
      const end = newline === -1 ? chunk.length : newline
      if (this.#length === 0 && chunk[from] !== LIST) this.#break(NO_MESSAGE)
      else if (this.#length + end - from > this.#longest) this.#break(`is longer than ${this.#longest} bytes`)
      else if (newline === -1) this.#keep(chunk, from, end)
      else this.#hear(chunk, from, end)
      from = end + 1
    }
  }

  /** Hears no more. */
  stop(): void {
    this.#isStopped = true
    this.#begun = Buffer.alloc(0)
    this.#length = 0
  }

  #hear(chunk: Buffer, from: number, end: number): void {
    const messages = listIn(this.#length === 0 ? chunk.toString('utf8', from, end) : this.#whole(chunk, from, end))
    if (!messages || !this.#options.onFrame(messages)) this.#break(NO_MESSAGE)
  }

  #whole(chunk: Buffer, from: number, end: number): string {
    this.#keep(chunk, from, end)
    const text = this.#begun.toString('utf8', 0, this.#length)
    this.#begun = Buffer.alloc(0)
    this.#length = 0
    return text
  }

  #keep(chunk: Buffer, from: number, end: number): void {
    const length = this.#length + end - from
    if (length > this.#begun.length) {
      const larger = Buffer.allocUnsafe(2 * length)
      this.#begun.copy(larger, 0, 0, this.#length)
      this.#begun = larger
    }
    chunk.copy(this.#begun, this.#length, from, end)
    this.#length = length
  }

  #break(why: string): void {
    this.stop()
    this.#options.onBroken(why)
  }
}

/** Of a text that begins as a list. */
function listIn(text: string): readonly unknown[] | null {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
