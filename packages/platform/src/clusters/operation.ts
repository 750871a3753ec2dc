/** Long-running operations on clusters: what a client waits for after it asked for a cluster or its end. */
import type { Place } from './cluster.ts'

export interface ClusterOperation extends Place {
  readonly id: string
  readonly kind: 'CREATE' | 'DELETE'
  readonly clusterName: string
  readonly clusterUuid: string
  /** The client's key: the same request twice is one operation. */
  readonly requestId: string | null
  readonly startedAt: string
  readonly endedAt: string | null
  /** Why it failed; null while it runs and when it succeeded. */
  readonly problem: string | null
  readonly createdBy: string
}

export interface ClusterOperationStore {
  create(operation: ClusterOperation): Promise<void>
  find(place: Place, id: string): Promise<ClusterOperation | null>
  findByRequest(place: Place, requestId: string): Promise<ClusterOperation | null>
  list(place: Place | null): Promise<ClusterOperation[]>
  update(operation: ClusterOperation): Promise<void>
}
