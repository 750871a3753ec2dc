/** Services: a name with a stable address, behind which revisions come and go. */
import { AppError } from '../core/app-error.ts'
import type { Revision, Template } from './revision.ts'
import type { Share, TrafficTarget } from './traffic.ts'

export interface ServiceSpec {
  readonly description: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly template: Template
  readonly traffic: readonly TrafficTarget[]
  /** Whether anybody may call it, without the permission services.invoke. */
  readonly isPublic: boolean
}

export interface DeployedService extends ServiceSpec {
  /** Names are unique on the platform, as they are in the address. */
  readonly name: string
  readonly project: string
  readonly location: string
  readonly uid: string
  readonly generation: number
  readonly createdBy: string
  readonly lastModifier: string
  readonly createdAt: string
  readonly updatedAt: string
  readonly latestCreatedRevision: string
  readonly latestReadyRevision: string | null
  /** Who answers now. */
  readonly serving: readonly Share[]
  readonly condition: Condition
}

interface Condition {
  readonly state: 'reconciling' | 'succeeded' | 'failed'
  readonly message: string
  readonly since: string
}

/** A change under way, or how it ended. */
export interface Operation {
  readonly id: string
  readonly service: string
  readonly kind: 'create' | 'update' | 'delete'
  readonly createdBy: string
  readonly createdAt: string
  readonly isDone: boolean
  /** What to do about it, when the change failed. */
  readonly error: string | null
}

export interface ServiceStore {
  find(name: string): Promise<DeployedService | null>
  list(): Promise<DeployedService[]>
  /** All of it in one step. */
  save(change: { service?: DeployedService; revision?: Revision; operation?: Operation }): Promise<void>
  /** With its revisions. */
  delete(name: string): Promise<void>
  findOperation(id: string): Promise<Operation | null>
  /** Those that are not done, oldest first. */
  listPending(): Promise<Operation[]>
}

export interface RevisionStore {
  find(name: string): Promise<Revision | null>
  /** Newest first. */
  list(service: string): Promise<Revision[]>
  save(revision: Revision): Promise<void>
  delete(name: string): Promise<void>
}

const NAME = /^[a-z](?:[a-z0-9-]{0,47}[a-z0-9])?$/

/** Throws `invalid` with all that is wrong with a new service or its template. */
export function checkService(name: string, { template }: Pick<ServiceSpec, 'template'>): void {
  const problems: string[] = []
  if (!NAME.test(name))
    problems.push(`"${name}" is no name for a service: use up to 49 lower-case letters, digits and dashes, and begin with a letter`)
  if (!template.image) problems.push('the template names no image')
  if (template.timeoutSeconds < 1 || template.timeoutSeconds > 3600)
    problems.push(`a timeout of ${template.timeoutSeconds} s is not between 1 and 3600`)
  if (template.port < 1 || template.port > 65_535) problems.push(`${template.port} is not a port`)
  for (const variable of Object.keys(template.env)) {
    if (!/^[A-Za-z_]\w*$/.test(variable)) problems.push(`"${variable}" is no name for an environment variable`)
    if (RESERVED.includes(variable)) problems.push(`the environment variable ${variable} is set by the platform`)
  }
  if (problems.length > 0) throw new AppError('invalid', `Service "${name}" cannot be deployed:`, { problems })
}

const RESERVED = ['PORT', 'K_SERVICE', 'K_REVISION', 'K_CONFIGURATION']
