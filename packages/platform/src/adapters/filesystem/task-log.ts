/** Task logs as files: `FOLDER/dag/run/task/try.log`, masked before they are written. */
import { createWriteStream, mkdirSync, type WriteStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { AppError } from '../../core/app-error.ts'
import type { Clock } from '../../core/clock.ts'
import type { TaskLog, TaskLogs, TryOfTask } from '../../execution/task-log.ts'

/** A line that never ends is written out in pieces of this many characters. */
const MAX_LINE = 64 * 1024
/** Of a longer log the beginning is kept, as much as this, and the end: logs are read whole. In characters. */
const LONGEST_BEGINNING = 16 * 1024 * 1024
const LONGEST_END = 256 * 1024

export class FileTaskLogs implements TaskLogs {
  readonly #folder: string
  readonly #clock: Clock
  readonly #mask: (text: string) => string

  constructor({ folder, clock, mask }: { folder: string; clock: Clock; mask: (text: string) => string }) {
    this.#folder = folder
    this.#clock = clock
    this.#mask = mask
  }

  open(of: TryOfTask): TaskLog {
    const path = this.#path(of)
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    const stream = createWriteStream(path, { flags: 'a', mode: 0o600 })
    return new FileTaskLog(stream, (line) => `${this.#clock.now().toISOString()} ${this.#mask(line)}\n`)
  }

  async read(of: TryOfTask): Promise<string | null> {
    return readFile(this.#path(of), 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null
      throw error
    })
  }

  #path({ dagId, runId, taskId, tryNumber }: TryOfTask): string {
    for (const part of [dagId, runId, taskId]) {
      if (!/^[\w.~:+-]+$/.test(part) || part === '.' || part === '..') throw new AppError('invalid', `"${part}" cannot name a log.`)
    }
    return join(this.#folder, dagId, runId, taskId, `${tryNumber}.log`)
  }
}

/** Lines are kept together until they end, so that no secret is cut in two before it is masked. */
class FileTaskLog implements TaskLog {
  readonly #stream: WriteStream
  readonly #line: (text: string) => string
  #rest = ''
  #length = 0
  /** The end of a log that is too long, until it is closed. */
  readonly #end: string[] = []
  #endLength = 0
  #leftOut = 0

  constructor(stream: WriteStream, line: (text: string) => string) {
    this.#stream = stream
    this.#line = line
    // A full disk must not end the platform; what the task did is still recorded.
    stream.on('error', () => {})
  }

  write(text: string): void {
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop() ?? ''
    if (this.#rest.length > MAX_LINE) {
      lines.push(this.#rest)
      this.#rest = ''
    }
    const kept = lines.map((line) => this.#line(line.replace(/\r$/, '')))
    if (this.#length > LONGEST_BEGINNING) this.#keepEnd(kept)
    else if (kept.length > 0) {
      const text = kept.join('')
      this.#length += text.length
      this.#stream.write(text)
    }
  }

  async close(): Promise<void> {
    if (this.#rest !== '') this.write('\n')
    if (this.#leftOut > 0) this.#stream.write(this.#line(`… ${this.#leftOut} lines are left out: the log is too long. …`))
    this.#stream.write(this.#end.join(''))
    await new Promise<void>((resolve) => {
      this.#stream.once('error', () => resolve())
      this.#stream.end(() => resolve())
    })
  }

  #keepEnd(lines: readonly string[]): void {
    for (const line of lines) {
      this.#end.push(line)
      this.#endLength += line.length
      while (this.#endLength > LONGEST_END) {
        this.#endLength -= this.#end.shift()?.length ?? 0
        this.#leftOut += 1
      }
    }
  }
}
