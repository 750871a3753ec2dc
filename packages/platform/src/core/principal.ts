/** Who is asking: a person, a task, a build or a deployed revision, and what each of them may do. */

export const PERMISSIONS = [
  'dags.read',
  'dags.run',
  'dags.write',
  'variables.read',
  'variables.write',
  'connections.read',
  'connections.write',
  'clusters.read',
  'clusters.write',
  'warehouse.read',
  'warehouse.write',
  'buckets.read',
  'buckets.write',
  'repositories.read',
  'repositories.write',
  'builds.read',
  'builds.write',
  'images.read',
  'images.write',
  'services.read',
  'services.write',
  'services.invoke',
  'models.read',
  'models.write',
  'packages.read',
  'events.read',
  'config.read',
  'users.read',
  'users.write',
] as const

export type Permission = (typeof PERMISSIONS)[number]

export type Role = 'viewer' | 'user' | 'op' | 'admin'

/**
 * `subject` is `user:NAME`, `task:DAG/RUN/TASK#TRY`, `job:UUID`, `build:ID`, `revision:SERVICE/REVISION` or `system`.
 * What a principal creates remembers this subject, and so does every event that it causes: that is how a refresh finds its parts.
 */
export interface Principal {
  readonly subject: string
  readonly permissions: ReadonlySet<Permission>
  /** What must still be true of a person for a token to count: role and password are those that it was given for. */
  readonly stamp?: string
}

const isRead = (permission: Permission) => permission.endsWith('.read')
const secretReads: ReadonlySet<Permission> = new Set<Permission>(['variables.read', 'connections.read', 'config.read', 'users.read'])

const viewer = PERMISSIONS.filter((p) => isRead(p) && !secretReads.has(p))
const user: readonly Permission[] = [
  ...viewer,
  'dags.run',
  'services.invoke',
  'builds.write',
  'repositories.write',
  'models.write',
  'buckets.write',
]
const op: readonly Permission[] = PERMISSIONS.filter((p) => !p.startsWith('users.'))

/** What each role of a person may do; each one includes the ones before it, as in Airflow's simple auth manager. */
export const ROLE_PERMISSIONS: Readonly<Record<Role, readonly Permission[]>> = { viewer, user, op, admin: PERMISSIONS }

/** What a running task may do: drive the services that operators drive, nothing of the scheduler itself. */
export const TASK_PERMISSIONS: readonly Permission[] = [
  'clusters.read',
  'clusters.write',
  'warehouse.read',
  'buckets.read',
  'buckets.write',
  'repositories.read',
  'builds.read',
  'builds.write',
  'services.read',
  'models.read',
]

/** What a build step may do: read sources, keep artifacts, register models, deploy. It can never write to a repository. */
export const BUILD_PERMISSIONS: readonly Permission[] = [
  'repositories.read',
  'packages.read',
  'buckets.read',
  'buckets.write',
  'builds.read',
  'builds.write',
  'images.read',
  'images.write',
  'services.read',
  'services.write',
  'services.invoke',
  'models.read',
  'models.write',
]

/** What a deployed revision may do: load its model. */
export const REVISION_PERMISSIONS: readonly Permission[] = ['models.read']

export const principal = (subject: string, permissions: Iterable<Permission>): Principal => ({ subject, permissions: new Set(permissions) })

/** The platform itself, at start-up and in its own loops. */
export const system: Principal = principal('system', PERMISSIONS)
