/** Variables and Connections: their doors, and what a running task gets of them. */
import type { Connection as TaskConnection } from '@daggerboard/dag'
import { SqliteConnectionStore } from '../adapters/sqlite/connection.ts'
import { SqliteVariableStore } from '../adapters/sqlite/variable.ts'
import type { Principal } from '../core/principal.ts'
import type { TaskSecrets } from '../execution/task-secrets.ts'
import { connectionsDoor } from '../http/secrets/connections.ts'
import { rotationDoor } from '../http/secrets/rotation.ts'
import { variablesDoor } from '../http/secrets/variables.ts'
import { type Connection, type ConnectionStore, readConnection } from '../secrets/connection.ts'
import { Fernet, rotateAll } from '../secrets/fernet.ts'
import { Masker, sensitiveTexts, sensitiveTextsIn, setSensitiveNames } from '../secrets/masking.ts'
import { readVariable, type VariableStore } from '../secrets/variable.ts'
import type { Settings } from '../settings.ts'
import type { Ground, Part } from './part.ts'

/** How long a task's token opens the platform's own doors. */
const TASK_TOKEN_SECONDS = 24 * 3600

export interface Secrets extends Part {
  readonly variables: VariableStore
  readonly connections: ConnectionStore
  readonly forTasks: TaskSecrets
  readonly masker: Masker
  /** For whatever else keeps secrets: it encrypts with the same keys, and registers with `alsoRotate`. */
  readonly fernet: Fernet
  /**
   * Encrypts all that is kept anew with the newest of the keys, all of it or nothing; afterwards the older keys can go. Answers how many there are.
   * Throws `invalid` with the names of those that none of the keys can read.
   */
  rotate(): Readonly<Record<string, number>> & { readonly variables: number; readonly connections: number }
  /** `rotate` is called within a transaction; it adds what it cannot read to `problems`. */
  alsoRotate(name: string, rotate: (problems: string[]) => number): void
}

/** `embedded`: each task that asks for it gets the platform's address and a token of its own. Take it out to reach Google. */
export const embeddedConnection = ({ project, region }: Pick<Settings, 'project' | 'region'>): Connection => ({
  id: 'google_cloud_default',
  type: 'google_cloud_platform',
  host: null,
  port: null,
  schema: null,
  login: null,
  password: null,
  extra: { embedded: true, project, region },
  description: 'The services embedded in this platform',
})

export function composeSecrets(ground: Ground): Secrets {
  const { db, clock, settings, home } = ground
  const fernet = new Fernet(settings.fernetKey || home.fernetKey(), clock)
  const variables = new SqliteVariableStore(db, fernet)
  const connections = new SqliteConnectionStore(db, fernet)
  setSensitiveNames({ names: settings.sensitiveNames, hidesFields: settings.hidesSensitiveFields })
  const masker = new Masker({ contentPatterns: settings.masksSecretPatterns })
  const forTasks = taskSecrets(ground, variables, connections, masker)
  const others = new Map<string, (problems: string[]) => number>()
  const rotate = () =>
    rotateAll((work) => db.transaction(work), {
      ...Object.fromEntries(others),
      variables: (problems: string[]) => variables.rotate(problems),
      connections: (problems: string[]) => connections.rotate(problems),
    })
  const alsoRotate = (name: string, work: (problems: string[]) => number) => void others.set(name, work)
  const doors = [
    variablesDoor({ variables, recorder: ground.recorder }),
    connectionsDoor({ connections, defaults: [embeddedConnection(settings)], recorder: ground.recorder }),
    rotationDoor({ hasOlderKeys: fernet.hasOlderKeys, rotate, recorder: ground.recorder }),
  ]
  return { doors, variables, connections, forTasks, masker, fernet, rotate, alsoRotate }
}

/** What tasks get: `tokens` are for connections to the platform itself, which is at `endpoint`. */
export function taskSecrets(
  { tokens, endpoint }: Pick<Ground, 'tokens' | 'endpoint'>,
  variables: VariableStore,
  connections: ConnectionStore,
  masker: Masker,
): TaskSecrets {
  return {
    async variable(key) {
      const value = await readVariable(key, variables, process.env)
      for (const secret of sensitiveTextsIn(value, key)) masker.add(secret)
      return value
    },
    async connection(id, who: Principal): Promise<TaskConnection> {
      const { description: _, ...connection } = await readConnection(id, connections, process.env)
      // A connection to the platform itself carries no password of its own: each task gets a token that says who it is.
      const isEmbedded = connection.extra.embedded === true
      const password = isEmbedded ? await tokens.issue(who, TASK_TOKEN_SECONDS) : connection.password
      // Tokens of the platform are masked by their shape.
      if (!isEmbedded) masker.add(password)
      for (const secret of sensitiveTexts(connection.extra)) masker.add(secret)
      return { ...connection, password, extra: isEmbedded ? { ...connection.extra, endpoint } : connection.extra }
    },
    mask: (text) => masker.mask(text),
  }
}
