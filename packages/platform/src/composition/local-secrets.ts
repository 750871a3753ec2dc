/** Secrets for the owner of a home, read beside the platform that may run there: its doors give none of them out. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { SqliteConnectionStore } from '../adapters/sqlite/connection.ts'
import { Database } from '../adapters/sqlite/database.ts'
import { SqliteVariableStore } from '../adapters/sqlite/variable.ts'
import type { ConnectionFields, Secrets } from '../cli/host.ts'
import { AppError } from '../core/app-error.ts'
import { systemClock } from '../core/clock.ts'
import { type Connection, parseConnection } from '../secrets/connection.ts'
import { Fernet } from '../secrets/fernet.ts'
import type { Settings } from '../settings.ts'

/** Throws `not_found` when the home has no store, and what Fernet says when its key is another one. */
export async function readSecrets({ home, fernetKey }: Settings): Promise<Secrets> {
  const path = join(home, 'platform.sqlite')
  if (!existsSync(path))
    throw new AppError(
      'not_found',
      `No platform has ever run in ${home}, or it is not yours to read. Secrets are shown to its owner alone.`,
    )
  const db = new Database(path)
  try {
    const fernet = new Fernet(fernetKey || readFileSync(join(home, 'keys', 'fernet.key'), 'utf8').trim(), systemClock)
    const variables = await new SqliteVariableStore(db, fernet).list()
    const connections = (await new SqliteConnectionStore(db, fernet).list()).map(fieldsOf)
    return { variables, connections }
  } finally {
    db.close()
  }
}

export const connectionFields = (id: string, text: string): ConnectionFields => fieldsOf(parseConnection(id, text))

const fieldsOf = ({ id, type, extra, ...rest }: Connection): ConnectionFields => ({
  connection_id: id,
  conn_type: type,
  ...rest,
  extra: Object.keys(extra).length === 0 ? null : JSON.stringify(extra),
})
