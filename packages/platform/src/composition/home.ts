/** The home folder: who holds it, and the keys kept in it. */
import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { AppError } from '../core/app-error.ts'
import { newFernetKey } from '../secrets/fernet.ts'

const LOCK_FILE = 'platform.lock'
const ENDPOINT_FILE = 'platform.endpoint'
/** A command holds the lock for a moment when it looks whether a platform runs. */
const LOCK_WAIT_MS = 100

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
    const lock = takeLock(join(path, LOCK_FILE), LOCK_WAIT_MS)
    if (!lock)
      throw new AppError(
        'conflict',
        `A platform (process ${this.#holder()}) is running in ${path}. Stop it, or set DAGGERBOARD_HOME and DAGGERBOARD_PORT for a second one.`,
      )
    this.#lock = lock
    // Left behind by one that was killed: another program may have its port by now.
    rmSync(join(path, ENDPOINT_FILE), { force: true })
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

  /** Tells the owner's commands where this platform is. */
  publish(endpoint: string): void {
    writeFileSync(this.folder(ENDPOINT_FILE), endpoint, { mode: 0o600 })
  }

  folder(...parts: string[]): string {
    return join(this.path, ...parts)
  }

  release(): void {
    rmSync(this.folder(ENDPOINT_FILE), { force: true })
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

/** Where the platform that runs in the home `path` says it is; null when none runs there. Throws what the system says of a home that is not ours. */
export function endpointOfRunning(path: string): string | null {
  if (!statSync(join(path, LOCK_FILE), { throwIfNoEntry: false })) return null
  const lock = takeLock(join(path, LOCK_FILE), 0)
  if (lock) {
    lock.close()
    return null
  }
  try {
    return readFileSync(join(path, ENDPOINT_FILE), 'utf8').trim()
  } catch {
    return null
  }
}

/**
 * Null when another process has it. The system itself takes the lock from a process that has died: the number that such a process
 * has left in a file may be another program's by now.
 */
function takeLock(path: string, waitMs: number): DatabaseSync | null {
  const lock = new DatabaseSync(path)
  try {
    lock.exec(`PRAGMA busy_timeout = ${waitMs}; BEGIN EXCLUSIVE`)
    return lock
  } catch (error) {
    lock.close()
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY) return null
    throw error
  }
}

const SQLITE_BUSY = 5
