/** Clusters as Dataproc describes them: what is asked for, the states they go through, and the port that keeps them. */
import { AppError } from '../core/app-error.ts'

export type ClusterState = 'CREATING' | 'RUNNING' | 'ERROR' | 'DELETING'

/** From which state a cluster may go to which. A cluster that is deleted is gone from the store. */
export const CLUSTER_MOVES: Readonly<Record<ClusterState, readonly ClusterState[]>> = {
  CREATING: ['RUNNING', 'ERROR', 'DELETING'],
  RUNNING: ['ERROR', 'DELETING'],
  ERROR: ['DELETING'],
  DELETING: [],
}

interface ClusterStatus {
  readonly state: ClusterState
  readonly detail: string | null
  readonly stateStartTime: string
}

/** Where a thing is: the first parts of its resource name. */
export interface Place {
  readonly project: string
  readonly region: string
}

export interface Cluster extends Place {
  readonly name: string
  readonly uuid: string
  /** As the client sent it; the parts that mean nothing to this engine (machine types, disks) are kept and given back. */
  readonly config: Readonly<Record<string, unknown>>
  readonly labels: Readonly<Record<string, string>>
  readonly status: ClusterStatus
  readonly history: readonly ClusterStatus[]
  readonly createdBy: string
  readonly createdAt: string
  /** Since when no job runs; null while one does. */
  readonly idleSince: string | null
}

export interface ClusterStore {
  /** Throws `conflict` when there is one of that name. */
  create(cluster: Cluster): Promise<void>
  find(place: Place, name: string): Promise<Cluster | null>
  list(place: Place | null): Promise<Cluster[]>
  /** Keeps the state; `idleSince` has a method of its own, so that the two never overwrite each other. */
  update(cluster: Cluster): Promise<void>
  markIdle(cluster: Cluster, since: string | null): Promise<void>
  delete(cluster: Cluster): Promise<void>
}

/** The cluster in its next state. Throws `conflict` when the table of moves does not allow it. */
export function moveCluster(cluster: Cluster, state: ClusterState, at: Date, detail: string | null = null): Cluster {
  if (!CLUSTER_MOVES[cluster.status.state].includes(state))
    throw new AppError('conflict', `Cluster "${cluster.name}" is ${cluster.status.state} and cannot become ${state}.`)
  return { ...cluster, status: { state, detail, stateStartTime: at.toISOString() }, history: [...cluster.history, cluster.status] }
}

const NAME = /^[a-z]([-a-z0-9]{0,49}[a-z0-9])?$/
const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE

/** Gathers what is wrong with a request for a cluster; throws `invalid` with all of it. */
export function checkClusterRequest(name: string, config: Readonly<Record<string, unknown>>): void {
  const problems: string[] = []
  if (!NAME.test(name))
    problems.push(
      `The name "${name}" is not allowed: use up to 51 lower-case letters, digits and hyphens, beginning with a letter and not ending with a hyphen.`,
    )
  const lifecycle = lifecycleOf(config)
  const range = (field: string, least: number, words: string) => {
    const value = lifecycle[field]
    if (value === undefined) return
    const milliseconds = parseDuration(value)
    if (milliseconds === null || milliseconds < least || milliseconds > 14 * DAY)
      problems.push(`lifecycleConfig.${field} is ${JSON.stringify(value)}; it must be from ${words} to 14 days, such as "3600s".`)
  }
  range('idleDeleteTtl', 5 * MINUTE, '5 minutes')
  range('autoDeleteTtl', 10 * MINUTE, '10 minutes')
  if (lifecycle.autoDeleteTime !== undefined && Number.isNaN(Date.parse(String(lifecycle.autoDeleteTime))))
    problems.push(
      `lifecycleConfig.autoDeleteTime is ${JSON.stringify(lifecycle.autoDeleteTime)}; it must be a time such as "2026-01-05T06:00:00Z".`,
    )
  for (const field of Object.keys(lifecycle))
    if (!['idleDeleteTtl', 'autoDeleteTtl', 'autoDeleteTime'].includes(field))
      problems.push(
        `lifecycleConfig.${field} is not supported here: clusters are deleted, not stopped. Use idleDeleteTtl; Dataproc itself knows ${field}.`,
      )
  if (problems.length > 0) throw new AppError('invalid', `Cannot create the cluster "${name}":`, { problems })
}

/** When the cluster is to be deleted by itself, in milliseconds since 1970; null for never. */
export function deletionDue(cluster: Cluster): number | null {
  const { idleDeleteTtl, autoDeleteTtl, autoDeleteTime } = lifecycleOf(cluster.config)
  const idle = parseDuration(idleDeleteTtl)
  const age = parseDuration(autoDeleteTtl)
  const due = [
    idle !== null && cluster.idleSince !== null ? Date.parse(cluster.idleSince) + idle : null,
    age !== null ? Date.parse(cluster.createdAt) + age : null,
    autoDeleteTime !== undefined ? Date.parse(String(autoDeleteTime)) : null,
  ].filter((time) => time !== null)
  return due.length > 0 ? Math.min(...due) : null
}

const lifecycleOf = (config: Readonly<Record<string, unknown>>) => (config.lifecycleConfig ?? {}) as Record<string, unknown>

/** Reads a protocol buffers duration: `3600s`. */
function parseDuration(value: unknown): number | null {
  const seconds = /^(\d+(?:\.\d+)?)s$/.exec(String(value))?.[1]
  return seconds === undefined ? null : Number(seconds) * 1000
}
