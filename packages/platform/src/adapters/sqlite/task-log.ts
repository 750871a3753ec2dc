/**
 * Task logs in SQLite. What is written is kept in memory first, readable at once, and goes to the file together with what the other tasks have
 * written, a few times a second: a platform that is killed loses the last fraction of a second of its logs, and a machine that loses its power
 * what the system had not yet written. Logs say what happened; what counts is recorded elsewhere. A file of their own keeps them out of the way of
 * the platform's state.
 */

import type { Clock } from '../../core/clock.ts'
import { LogLines } from '../../execution/log-lines.ts'
import type { LogPage, LogPlace, TaskLog, TaskLogs, TryOfTask } from '../../execution/task-log.ts'
import type { Database } from './database.ts'

const TABLES = `
  PRAGMA synchronous = NORMAL;
  CREATE TABLE IF NOT EXISTS task_log (
    part INTEGER PRIMARY KEY,
    dag_id TEXT NOT NULL, run_id TEXT NOT NULL, task_id TEXT NOT NULL, map_index INTEGER NOT NULL, try_number INTEGER NOT NULL,
    text TEXT NOT NULL) STRICT;
  CREATE INDEX IF NOT EXISTS task_log_try ON task_log (dag_id, run_id, task_id, map_index, try_number)`

const WRITE_EVERY_MS = 100
/** Of so many tries at a time: each of them takes some 10 µs. */
const MOST_TOGETHER = 64
/** So much waits in memory at most, in characters. */
const MOST_UNWRITTEN = 4 * 1024 * 1024

/** Of a log that is read by pages so much is read together, in bytes, unless a single part is longer; and of so many parts. */
const READ_TOGETHER = 256 * 1024
const PARTS_TOGETHER = 256

/** Deleted in one go: the platform stands still meanwhile. */
const MOST_AT_ONCE = 500

interface Options {
  readonly db: Database
  readonly clock: Clock
  readonly mask: (text: string) => string
  /** Of one try, in characters. Default 64 Mi. */
  readonly longest?: number
}

/** A try that is written to, or read along. */
interface Live {
  readonly key: readonly [dagId: string, runId: string, taskId: string, mapIndex: number, tryNumber: number]
  /** What is not in the file yet. */
  unwritten: string
  /** How often it is open: a lost try and the one that goes on may overlap. */
  writers: number
  readonly readers: Set<Reader>
}

/** A part of a log; what is not in the file yet counts as the end of its last part. */
interface Piece {
  readonly part: number
  /** Where in its part it begins. */
  readonly base: number
  readonly text: string
}

interface Reader {
  onText(text: string): void
  onClose(): void
}

export class SqliteTaskLogs implements TaskLogs {
  readonly #options: Options
  readonly #db: Database
  readonly #live = new Map<string, Live>()
  readonly #unwritten = new Set<Live>()
  #unwrittenLength = 0
  #timer: NodeJS.Timeout | null = null

  constructor(options: Options) {
    this.#options = options
    this.#db = options.db
    this.#db.migrate(TABLES)
  }

  open(of: TryOfTask): TaskLog {
    const live = this.#liveOf(of)
    live.writers += 1
    const { clock, mask, longest } = this.#options
    const lines = new LogLines({
      now: () => clock.now(),
      mask,
      onText: (text) => this.#add(live, text),
      ...(longest !== undefined && { longest }),
    })
    let isOpen = true
    return {
      write: (text) => {
        if (isOpen) lines.write(text)
      },
      close: () => {
        if (!isOpen) return
        isOpen = false
        lines.close()
        live.writers -= 1
        if (live.writers > 0) return
        for (const reader of [...live.readers]) reader.onClose()
        this.#forgetIfDone(live)
      },
    }
  }

  async read(of: TryOfTask): Promise<string | null> {
    const rows = this.#db.all<{ text: string }>(
      'SELECT text FROM task_log WHERE dag_id = ? AND run_id = ? AND task_id = ? AND map_index = ? AND try_number = ? ORDER BY part',
      ...keyOf(of),
    )
    const live = this.#live.get(keyOf(of).join('\n'))
    if (rows.length === 0 && !live?.unwritten && !live?.writers) return null
    return rows.map(({ text }) => text).join('') + (live?.unwritten ?? '')
  }

  async readFrom(of: TryOfTask, from: LogPlace, most: { readonly lines: number; readonly characters: number }): Promise<LogPage | null> {
    const pieces = this.#pieces(of, from.part)
    let piece = pieces.next()
    // A part that is gone takes its place with it.
    let skip = piece.value && from.part > 0 && piece.value.part !== from.part ? 0 : from.offset
    if (piece.done && !this.#live.get(keyOf(of).join('\n'))?.writers) return null
    let [text, lines, next] = ['', 0, from]
    for (; !piece.done; piece = pieces.next()) {
      const { part, base, text: all } = piece.value
      let end = Math.min(skip, all.length)
      const begin = end
      skip -= end
      while (end < all.length && lines < most.lines && text.length + end - begin < most.characters) {
        end = all.indexOf('\n', end) + 1 || all.length
        lines += 1
      }
      if (end > begin) next = { part, offset: base + end }
      text += all.slice(begin, end)
      if (end < all.length) return { text, next, hasMore: true }
    }
    return { text, next, hasMore: false }
  }

  /** What a try has written, from a part on; read as far as it is asked for. */
  *#pieces(of: TryOfTask, first: number): Generator<Piece, undefined> {
    const key = keyOf(of)
    const ofTry = 'FROM task_log WHERE dag_id = ? AND run_id = ? AND task_id = ? AND map_index = ? AND try_number = ? AND part > ?'
    let last: Piece = { part: first, base: 0, text: '' }
    for (let after = first - 1; ; ) {
      const sizes = this.#db.all<{ part: number; size: number }>(
        `SELECT part, octet_length(text) AS size ${ofTry} ORDER BY part LIMIT ${PARTS_TOGETHER}`,
        ...key,
        after,
      )
      let total = 0
      let until = after
      for (const { part, size } of sizes) {
        total += size
        if (until > after && total > READ_TOGETHER) break
        until = part
      }
      if (until === after) break
      for (const row of this.#db.all<{ part: number; text: string }>(
        `SELECT part, text ${ofTry} AND part <= ? ORDER BY part`,
        ...key,
        after,
        until,
      )) {
        last = { ...row, base: 0 }
        yield last
      }
      after = until
    }
    const unwritten = this.#live.get(key.join('\n'))?.unwritten
    if (unwritten) yield { part: last.part, base: last.text.length, text: unwritten }
    return undefined
  }

  async *tail(of: TryOfTask, signal: AbortSignal): AsyncIterable<string> {
    const live = this.#liveOf(of)
    const queue: string[] = []
    let isOver = false
    let wake = () => {}
    const reader: Reader = {
      onText: (text) => {
        queue.push(text)
        wake()
      },
      onClose: () => {
        isOver = true
        wake()
      },
    }
    live.readers.add(reader)
    const onAbort = () => wake()
    signal.addEventListener('abort', onAbort)
    try {
      // Between reading what there is and hearing what comes nothing is lost or said twice: `read` looks before it waits.
      const known = await this.#readOnce(of, queue)
      if (known) yield known
      if (live.writers === 0 && known !== null) return
      while (!signal.aborted) {
        const text = queue.splice(0).join('')
        if (text) yield text
        else if (isOver) return
        else await new Promise<void>((resolve) => (wake = resolve))
      }
    } finally {
      signal.removeEventListener('abort', onAbort)
      live.readers.delete(reader)
      this.#forgetIfDone(live)
    }
  }

  async delete(dagId: string, runId?: string): Promise<void> {
    this.flush()
    if (runId === undefined) this.#db.run('DELETE FROM task_log WHERE dag_id = ?', dagId)
    else this.#db.run('DELETE FROM task_log WHERE dag_id = ? AND run_id = ?', dagId, runId)
  }

  /** Parts come in the order of their time, and each begins with it: those that are looked at are the oldest there are. */
  async deleteBefore(at: string): Promise<number> {
    const oldest = 'SELECT part, substr(text, 1, 24) AS at FROM task_log ORDER BY part LIMIT ?'
    return this.#db.run(`DELETE FROM task_log WHERE part IN (SELECT part FROM (${oldest}) WHERE at < ?)`, MOST_AT_ONCE, at).changes
  }

  /** Writes what is in memory. */
  flush(): void {
    this.#stopTimer()
    this.#write([...this.#unwritten])
  }

  /** Some at a time: what tasks do meanwhile waits no longer than for those. */
  #flushSome(): void {
    this.#stopTimer()
    const some: Live[] = []
    for (const live of this.#unwritten) if (some.push(live) === MOST_TOGETHER) break
    if (this.#write(some) && this.#unwritten.size > 0) setImmediate(() => this.#flushSome())
  }

  /** Answers whether it could. */
  #write(some: readonly Live[]): boolean {
    if (some.length === 0) return true
    try {
      this.#db.transaction(() => {
        for (const { key, unwritten } of some) {
          this.#db.run(
            'INSERT INTO task_log (dag_id, run_id, task_id, map_index, try_number, text) VALUES (?, ?, ?, ?, ?, ?)',
            ...key,
            unwritten,
          )
        }
      })
    } catch {
      // A full disk must not end the platform: what tasks did is recorded elsewhere, and their next words may find room again.
      if (this.#unwrittenLength <= MOST_UNWRITTEN) {
        this.#writeSoon()
        return false
      }
    }
    for (const live of some) {
      this.#unwrittenLength -= live.unwritten.length
      live.unwritten = ''
      this.#unwritten.delete(live)
      this.#forgetIfDone(live)
    }
    return true
  }

  /** What `tail` begins with; what came into `queue` by then is part of it. */
  async #readOnce(of: TryOfTask, queue: string[]): Promise<string | null> {
    const known = this.read(of)
    queue.length = 0
    return known
  }

  #liveOf(of: TryOfTask): Live {
    const key = keyOf(of)
    const name = key.join('\n')
    const known = this.#live.get(name)
    if (known) return known
    const live: Live = { key, unwritten: '', writers: 0, readers: new Set() }
    this.#live.set(name, live)
    return live
  }

  #add(live: Live, text: string): void {
    live.unwritten += text
    this.#unwritten.add(live)
    this.#unwrittenLength += text.length
    for (const reader of live.readers) reader.onText(text)
    if (this.#unwrittenLength > MOST_UNWRITTEN) this.flush()
    else this.#writeSoon()
  }

  #writeSoon(): void {
    this.#timer ??= setTimeout(() => this.#flushSome(), WRITE_EVERY_MS).unref()
  }

  #stopTimer(): void {
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = null
  }

  #forgetIfDone(live: Live): void {
    if (live.writers === 0 && live.readers.size === 0 && live.unwritten === '') this.#live.delete(live.key.join('\n'))
  }
}

const keyOf = ({ dagId, runId, taskId, mapIndex = -1, tryNumber }: TryOfTask): Live['key'] => [dagId, runId, taskId, mapIndex, tryNumber]
