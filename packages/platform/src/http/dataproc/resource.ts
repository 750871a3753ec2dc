/** Clusters, jobs and operations as Dataproc v1 writes them in JSON. */
import type { Cluster, Place } from '../../clusters/cluster.ts'
import type { Job } from '../../clusters/job.ts'
import { isFinished } from '../../clusters/job.ts'
import type { ClusterOperation } from '../../clusters/operation.ts'

const TYPE = 'type.googleapis.com/google.cloud.dataproc.v1'
/** `INTERNAL` of google.rpc.Code. */
const INTERNAL = 13

interface Status {
  readonly state: string
  readonly detail: string | null
  readonly stateStartTime: string
}

export function clusterResource(cluster: Cluster): Record<string, unknown> {
  const { idleDeleteTtl, ...lifecycle } = (cluster.config.lifecycleConfig ?? {}) as Record<string, unknown>
  const lifecycleConfig = {
    ...lifecycle,
    ...(idleDeleteTtl ? { idleDeleteTtl } : {}),
    ...(cluster.idleSince ? { idleStartTime: cluster.idleSince } : {}),
  }
  return {
    projectId: cluster.project,
    clusterName: cluster.name,
    clusterUuid: cluster.uuid,
    config: { ...cluster.config, ...(cluster.config.lifecycleConfig ? { lifecycleConfig } : {}) },
    labels: cluster.labels,
    status: clusterStatus(cluster.status),
    statusHistory: cluster.history.map(clusterStatus),
  }
}

const clusterStatus = ({ state, detail, stateStartTime }: Status) => ({ state, ...(detail ? { detail } : {}), stateStartTime })
const jobStatus = ({ state, detail, stateStartTime }: Status) => ({ state, ...(detail ? { details: detail } : {}), stateStartTime })

export function jobResource(job: Job): Record<string, unknown> {
  const { queryFileUri, queries, scriptVariables } = job.sparkSqlJob
  return {
    reference: { projectId: job.project, jobId: job.id },
    placement: { clusterName: job.clusterName, clusterUuid: job.clusterUuid },
    sparkSqlJob: { ...(queryFileUri ? { queryFileUri } : { queryList: { queries } }), scriptVariables },
    labels: job.labels,
    status: jobStatus(job.status),
    statusHistory: job.history.map(jobStatus),
    driverOutputResourceUri: job.driverOutputUri,
    jobUuid: job.uuid,
    done: isFinished(job),
  }
}

/** `cluster` is the cluster as it is now, for the answer of an operation that created it. */
export function operationResource(operation: ClusterOperation, cluster: Cluster | null): Record<string, unknown> {
  const { endedAt, problem } = operation
  return {
    name: `${placeName(operation)}/operations/${operation.id}`,
    metadata: {
      '@type': `${TYPE}.ClusterOperationMetadata`,
      clusterName: operation.clusterName,
      clusterUuid: operation.clusterUuid,
      operationType: operation.kind,
      description: operation.kind === 'CREATE' ? 'Create cluster' : 'Delete cluster',
      status: {
        state: endedAt ? 'DONE' : 'RUNNING',
        innerState: endedAt ? 'DONE' : 'RUNNING',
        stateStartTime: endedAt ?? operation.startedAt,
        ...(problem ? { details: problem } : {}),
      },
    },
    done: endedAt !== null,
    ...(endedAt === null ? {} : problem ? { error: { code: INTERNAL, message: problem } } : { response: response(operation, cluster) }),
  }
}

function response(operation: ClusterOperation, cluster: Cluster | null): Record<string, unknown> {
  if (operation.kind === 'DELETE') return { '@type': 'type.googleapis.com/google.protobuf.Empty', value: {} }
  // The cluster may be gone again by the time a slow client asks.
  const created =
    cluster?.uuid === operation.clusterUuid
      ? clusterResource(cluster)
      : { clusterName: operation.clusterName, clusterUuid: operation.clusterUuid }
  return { '@type': `${TYPE}.Cluster`, ...created }
}

const placeName = ({ project, region }: Place): string => `projects/${project}/regions/${region}`
