/** The home folder: who holds it, and the keys kept in it. */
import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
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
    if (statSync(path, { throwIfNoEntry: false })) return readFileSync(path, 'utf8').trim()
    mkdirSync(join(this.path, 'keys'), { recursive: true, mode: 0o700 })
    const key = make()
    // A disk that is full leaves half of what is written, and a home with half a key would never start again.
    const unfinished = `${path}.unfinished`
    rmSync(unfinished, { force: true })
    writeFileSync(unfinished, `${key}\n`, { mode: 0o600, flag: 'wx', flush: true })
    renameSync(unfinished, path)
    return key
  }
}

/**
 * Where the platform that runs in the home `path` says it is, and the key that signs its tokens; null when none runs there. Throws what the
 * system says of a home that is not ours, and `forbidden` where one owner's key would open a way to what another one has published.
 */
export function runningIn(path: string): { readonly endpoint: string; readonly signingKey: Uint8Array } | null {
  if (!statSync(join(path, LOCK_FILE), { throwIfNoEntry: false })) return null
  const lock = takeLock(join(path, LOCK_FILE), 0)
  if (lock) {
    lock.close()
    return null
  }
  const endpoint = readOwned(join(path, ENDPOINT_FILE))
  if (!endpoint) return null
  const key = readOwned(join(path, 'keys', 'token.key'))
  if (!key) return null
  const self = process.geteuid?.() ?? key.owner
  if (key.owner !== endpoint.owner || (self !== 0 && key.owner !== self))
    throw new AppError(
      'forbidden',
      `The files of the platform's home ${path} do not belong to one user. No token is sent to where it points.`,
    )
  return { endpoint: endpoint.text, signingKey: Buffer.from(key.text, 'hex') }
}

/** The text of a file and its owner, of the same moment; null when there is none. A link is not followed. */
function readOwned(path: string): { readonly text: string; readonly owner: number } | null {
  let file: number
  try {
    file = openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
  try {
    return { text: readFileSync(file, 'utf8').trim(), owner: fstatSync(file).uid }
  } finally {
    closeSync(file)
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
