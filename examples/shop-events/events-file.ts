/** Writes raw shop events as CSV, compressed when the name ends in `.gz`. */
import { createWriteStream } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Writable } from 'node:stream'
import { finished, pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'

export const EVENTS_HEADER = 'event_time,event_type,product_id,category_id,category_code,brand,price,user_id,user_session'

/** One line of the file, without its time: `view,1004856,…`. */
export type EventLine = string

export class EventsFile {
  #stream: Writable
  #ended: Promise<void>

  private constructor(file: string) {
    const target = createWriteStream(file)
    if (file.endsWith('.gz')) {
      const gzip = createGzip({ level: 1 })
      this.#stream = gzip
      this.#ended = pipeline(gzip, target)
    } else {
      this.#stream = target
      this.#ended = finished(target)
    }
    this.#ended.catch(() => {})
  }

  static async create(file: string): Promise<EventsFile> {
    await mkdir(dirname(file), { recursive: true })
    const events = new EventsFile(file)
    await events.#write(`${EVENTS_HEADER}\n`)
    return events
  }

  /** Writes lines in the order of their times (seconds since 1970); lines of the same second keep their order. */
  async writeSorted(times: readonly number[], lines: readonly EventLine[]): Promise<void> {
    // Time and position in one number, which typed arrays sort without calling back.
    const order = Float64Array.from(times, (time, index) => time * 2 ** 21 + index).sort()
    let text = ''
    let second = -1
    let stamp = ''
    for (const key of order) {
      const time = Math.floor(key / 2 ** 21)
      if (time !== second) {
        second = time
        stamp = `${new Date(time * 1000).toISOString().slice(0, 19).replace('T', ' ')} UTC`
      }
      text += `${stamp},${lines[key - time * 2 ** 21]}\n`
      if (text.length > 1 << 20) {
        await this.#write(text)
        text = ''
      }
    }
    await this.#write(text)
  }

  async close(): Promise<void> {
    this.#stream.end()
    await this.#ended
  }

  async #write(text: string): Promise<void> {
    if (!this.#stream.write(text)) await Promise.race([new Promise((resolve) => this.#stream.once('drain', resolve)), this.#ended])
  }
}
