/** The home folder: who holds it, and the keys kept in it. */
import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { AppError } from '../core/app-error.ts'
import { newFernetKey } from '../secrets/fernet.ts'

/** A home folder that this process alone holds until `release`. */
export class Home {
  readonly path: string
  readonly #lock: DatabaseSync

  /** Creates the folder if it is missing; throws `conflict` when a living platform holds it. */
  constructor(path: string) {
    this.path = path
    mkdirSync(path, { recursive: true, mode: 0o700 })
    // Also a folder that was there before: what is kept in it is nobody else's.
    chmodSync(path, 0o700)
    const lock = takeLock(join(path, 'platform.lock'))
    if (!lock)
      throw new AppError(
        'conflict',
        `A platform (process ${this.#holder()}) is running in ${path}. Stop it, or set DAGGERBOARD_HOME and DAGGERBOARD_PORT for a second one.`,
      )
    this.#lock = lock
    writeFileSync(this.#pidFile, String(process.pid), { mode: 0o600 })
  }

  /** 32 bytes that sign tokens; made at the first start. */
  signingKey(): Uint8Array {
    return Buffer.from(
      this.#key('token.key', () => randomBytes(32).toString('hex')),
      'hex',
    )
  }

  /** The Fernet key that encrypts secrets; made at the first start. */
  fernetKey(): string {
    return this.#key('fernet.key', newFernetKey)
  }

  folder(...parts: string[]): string {
    return join(this.path, ...parts)
  }

  release(): void {
    rmSync(this.#pidFile, { force: true })
    if (this.#lock.isOpen) this.#lock.close()
  }

  get #pidFile(): string {
    return join(this.path, 'platform.pid')
  }

  #holder(): string {
    try {
      return readFileSync(this.#pidFile, 'utf8')
    } catch {
      return 'unknown'
    }
  }

  #key(name: string, make: () => string): string {
    const path = join(this.path, 'keys', name)
    try {
      return readFileSync(path, 'utf8').trim()
    } catch {
      mkdirSync(join(this.path, 'keys'), { recursive: true, mode: 0o700 })
      const key = make()
      writeFileSync(path, `${key}\n`, { mode: 0o600, flag: 'wx' })
      return key
    }
  }
}

/**
 * Null when another process has it. The system itself takes the lock from a process that has died: the number that such a process
 * has left in a file may be another program's by now.
 */
function takeLock(path: string): DatabaseSync | null {
  const lock = new DatabaseSync(path)
  try {
    lock.exec('PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE')
    return lock
  } catch (error) {
    lock.close()
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY) return null
    throw error
  }
}

const SQLITE_BUSY = 5
