/** Secrets for the owner of a home, read beside the platform that may run there: its doors give none of them out. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { SqliteCancellationStore } from '../adapters/sqlite/cancellation.ts'
import { SqliteConnectionStore } from '../adapters/sqlite/connection.ts'
import { Database } from '../adapters/sqlite/database.ts'
import { SqliteTaskInstanceStore } from '../adapters/sqlite/task-instance.ts'
import { SqliteVariableStore } from '../adapters/sqlite/variable.ts'
import type { Secrets } from '../cli/host.ts'
import { AppError } from '../core/app-error.ts'
import { systemClock } from '../core/clock.ts'
import { Fernet, rotateAll } from '../secrets/fernet.ts'
import type { Settings } from '../settings.ts'
import { fieldsOf } from './exchange.ts'
import { Home } from './home.ts'

/** Throws `not_found` when the home has no store, and what Fernet says when its key is another one. */
export const readSecrets = (settings: Settings): Promise<Secrets> =>
  withStores(settings, async ({ variables, connections }) => ({
    variables: await variables.list(),
    connections: (await connections.list()).map(fieldsOf),
  }))

/**
 * Encrypts everything anew that a platform keeps encrypted, in a home where none runs. Throws `conflict` when one does, `invalid` when there is only
 * one key, or a secret that none of the keys can read; then nothing is changed.
 */
export function rotateKeys(settings: Settings): Promise<Readonly<Record<string, number>>> {
  if (!settings.fernetKey.includes(','))
    throw new AppError(
      'invalid',
      'There is no new Fernet key to rotate to. Set core.fernet_key (DAGGERBOARD_FERNET_KEY) to "NEW,OLD" and run this again.',
    )
  return withStores(settings, async ({ db, fernet, variables, connections }) => {
    const home = new Home(settings.home)
    try {
      const instances = new SqliteTaskInstanceStore(db, fernet)
      const cancellations = new SqliteCancellationStore(db, instances)
      return rotateAll((work) => db.transaction(work), {
        variables: (problems: string[]) => variables.rotate(problems),
        connections: (problems: string[]) => connections.rotate(problems),
        waits: (problems: string[]) => instances.rotate(problems) + cancellations.rotate(problems),
      })
    } finally {
      home.release()
    }
  })
}

interface Stores {
  readonly db: Database
  readonly fernet: Fernet
  readonly variables: SqliteVariableStore
  readonly connections: SqliteConnectionStore
}

async function withStores<T>({ home, fernetKey }: Settings, work: (stores: Stores) => Promise<T>): Promise<T> {
  const path = join(home, 'platform.sqlite')
  if (!existsSync(path))
    throw new AppError('not_found', `No platform has ever run in ${home}, or it is not yours to read. Secrets are for its owner alone.`)
  const db = new Database(path)
  try {
    const fernet = new Fernet(fernetKey || readFileSync(join(home, 'keys', 'fernet.key'), 'utf8').trim(), systemClock)
    return await work({ db, fernet, variables: new SqliteVariableStore(db, fernet), connections: new SqliteConnectionStore(db, fernet) })
  } finally {
    db.close()
  }
}
