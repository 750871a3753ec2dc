/** The home folder: who holds it, and the keys kept in it. */
import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { AppError } from '../core/app-error.ts'
import { newFernetKey } from '../secrets/fernet.ts'

/** A home folder that this process alone holds until `release`. */
export class Home {
  readonly path: string

  /** Creates the folder if it is missing; throws `conflict` when a living platform holds it. */
  constructor(path: string) {
    this.path = path
    mkdirSync(path, { recursive: true, mode: 0o700 })
    // Also a folder that was there before: what is kept in it is nobody else's.
    chmodSync(path, 0o700)
    const holder = livingHolder(this.#lock)
    if (holder !== null)
      throw new AppError(
        'conflict',
        `A platform (process ${holder}) is running in ${path}. Stop it, or set DAGGERBOARD_HOME and DAGGERBOARD_PORT for a second one.`,
      )
    writeFileSync(this.#lock, String(process.pid), { mode: 0o600 })
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
    rmSync(this.#lock, { force: true })
  }

  get #lock(): string {
    return join(this.path, 'platform.pid')
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

/** The process that holds the lock, if it lives and is not this one. */
function livingHolder(lock: string): number | null {
  try {
    const pid = Number(readFileSync(lock, 'utf8'))
    if (!Number.isInteger(pid) || pid <= 0 || pid === process.pid) return null
    process.kill(pid, 0)
    return pid
  } catch (error) {
    // EPERM means that it lives and belongs to somebody else.
    return (error as NodeJS.ErrnoException).code === 'EPERM' ? Number(readFileSync(lock, 'utf8')) : null
  }
}
