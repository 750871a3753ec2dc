/** A child's end of its channel to the platform. */
import { writeSync } from 'node:fs'
import { Socket } from 'node:net'
import { CHANNEL_FD, FrameReader, frameOf } from './frame-reader.ts'

/** How long to wait for the platform when it has yet to read so much that no more fits. */
const BREATH_MS = 1
/** Messages that are longer together, in characters, travel one by one: together they could be longer than a frame may be. */
const LONG = 1024 * 1024

const breath = new Int32Array(new SharedArrayBuffer(4))

export class PlatformChannel {
  readonly #onGone: () => void

  /** `onGone`: the platform has ended, or the channel can no longer be used; it may be called again. */
  constructor(onGone: () => void) {
    this.#onGone = onGone
  }

  /** Holds the process in life. */
  listen(onFrame: (messages: readonly unknown[]) => boolean): void {
    // Somebody has taken away some of what the platform has said, and the rest makes no sense.
    const reader = new FrameReader({ onFrame, onBroken: () => this.#lose('was read by a task') })
    new Socket({ fd: CHANNEL_FD, readable: true, writable: false })
      .on('data', (chunk: Buffer) => reader.read(chunk))
      .on('error', this.#onGone)
      .on('close', this.#onGone)
  }

  /**
   * What is said is with the system when this returns: it is heard whatever the process does next. Waits for a platform that has yet to read what was
   * said before, so that nobody can say more than it takes. Throws what `JSON.stringify` throws.
   */
  say(messages: readonly unknown[]): void {
    const frame = frameOf(messages)
    if (frame.length > LONG && messages.length > 1) for (const message of messages) this.say([message])
    else this.#write(Buffer.from(frame))
  }

  #write(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; ) {
      try {
        at += writeSync(CHANNEL_FD, bytes, at)
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException
        if (code === 'EAGAIN') Atomics.wait(breath, 0, 0, BREATH_MS)
        else {
          if (code === 'EPIPE') this.#onGone()
          else this.#lose(`was closed by a task (${code})`)
          return
        }
      }
    }
  }

  #lose(how: string): void {
    try {
      writeSync(2, `File descriptor ${CHANNEL_FD} ${how}: it is the channel to the platform, without which nothing can go on here.\n`)
    } finally {
      this.#onGone()
    }
  }
}
