/** A refresh: one line from a data interval to traffic, whatever started it. Plain data, so that it can be stored and sent as it is. */

/** `waiting` is planned, `skipped` was planned and never reached (or not needed). */
export type StageState = 'waiting' | 'running' | 'success' | 'failed' | 'cancelled' | 'skipped'

export type RefreshState = 'queued' | 'running' | 'success' | 'failed' | 'cancelled'

interface RefreshOrigin {
  readonly kind: 'dag_run' | 'build'
  readonly dagId: string | null
  readonly runId: string | null
  readonly repository: string | null
  readonly branch: string | null
}

interface StageFacts {
  readonly state: StageState
  readonly startedAt: string | null
  readonly endedAt: string | null
  /** Why it failed, or what it is doing, in words. */
  readonly detail: string | null
}

/** The task whose log tells of a stage that a DAG drives. */
export interface TaskReference {
  readonly taskId: string
  readonly tryNumber: number
}

export interface BuildStep {
  readonly id: string
  /** As in Cloud Build. */
  readonly status: string
  readonly startedAt: string | null
  readonly endedAt: string | null
}

interface Trial {
  readonly step: number
  readonly value: number
}

interface IntervalStage extends StageFacts {
  readonly kind: 'interval'
  readonly start: string | null
  readonly end: string | null
}

interface ClusterStage extends StageFacts {
  readonly kind: 'cluster'
  readonly name: string | null
  /** As in Dataproc; `DELETED` once it is gone. The stage itself has succeeded as soon as the cluster has been ready. */
  readonly clusterState: string | null
  readonly task: TaskReference | null
}

interface TransformStage extends StageFacts {
  readonly kind: 'transform'
  readonly jobId: string | null
  /** From 0 to 1 where it is known. */
  readonly progress: number | null
  readonly inputRows: number | null
  readonly outputRows: number | null
  readonly task: TaskReference | null
}

export interface BuildStage extends StageFacts {
  readonly kind: 'build'
  /** Null while the build is only planned. */
  readonly buildId: string | null
  /** True of a build that another build of this refresh started, or will start. */
  readonly nested: boolean
  readonly parentBuildId: string | null
  readonly repository: string | null
  readonly branch: string | null
  readonly commitSha: string | null
  readonly trigger: string | null
  readonly steps: readonly BuildStep[]
  readonly task: TaskReference | null
}

export interface TrainingStage extends StageFacts {
  readonly kind: 'training'
  readonly buildId: string | null
  readonly experiment: string | null
  readonly runId: string | null
  readonly maxEvals: number | null
  /** In the order they were logged; the newest `SERIES_LIMIT`. */
  readonly series: readonly Trial[]
  readonly trials: number
  readonly best: number | null
  readonly metrics: Readonly<Record<string, number>>
}

export interface ModelStage extends StageFacts {
  readonly kind: 'model'
  readonly buildId: string | null
  readonly name: string | null
  readonly version: string | null
  readonly stage: string | null
  readonly metrics: Readonly<Record<string, number>>
}

interface ImageStage extends StageFacts {
  readonly kind: 'image'
  readonly buildId: string | null
  readonly repository: string | null
  readonly tag: string | null
  readonly digest: string | null
  readonly bytes: number | null
}

interface RevisionStage extends StageFacts {
  readonly kind: 'revision'
  readonly buildId: string | null
  readonly service: string | null
  readonly revision: string | null
  /** deploying, ready, failed, draining, retired: what it is now, also after the refresh has ended. */
  readonly revisionState: string | null
}

interface TrafficStage extends StageFacts {
  readonly kind: 'traffic'
  readonly buildId: string | null
  readonly service: string | null
  readonly revision: string | null
  /** What this refresh's revision gets now, also after the refresh has ended. */
  readonly percent: number | null
  readonly url: string | null
}

export type Stage =
  | IntervalStage
  | ClusterStage
  | TransformStage
  | BuildStage
  | TrainingStage
  | ModelStage
  | ImageStage
  | RevisionStage
  | TrafficStage

export type StageKind = Stage['kind']
export type StageOf<Kind extends StageKind> = Extract<Stage, { kind: Kind }>

export interface Refresh {
  readonly id: string
  readonly origin: RefreshOrigin
  /** `staging`, `production`, or `staging and production`; null when the branch is neither. */
  readonly environment: string | null
  readonly dataInterval: { readonly start: string; readonly end: string } | null
  readonly state: RefreshState
  /** The first thing that went wrong, in words, while `state` is failed. */
  readonly reason: string | null
  readonly createdAt: string
  readonly startedAt: string | null
  readonly endedAt: string | null
  /** In the order of the line. A kind occurs twice when the refresh serves two environments, and `build` when one starts another. */
  readonly stages: readonly Stage[]
  /** Of a DAG run: its own state, and its tasks with the latest try of each. */
  readonly dagRunState: string | null
  readonly tasks: readonly RefreshTask[]
}

export interface RefreshTask {
  readonly taskId: string
  readonly operator: string
  readonly tryNumber: number
  readonly state: string
  readonly startedAt: string | null
  readonly endedAt: string | null
  readonly detail: string | null
}

/** Where refreshes are kept between two lives of the platform. */
export interface RefreshStore {
  /** The newest first. */
  list(limit: number): Promise<Refresh[]>
  save(refresh: Refresh): Promise<void>
  delete(id: string): Promise<void>
}

export const hasEnded = (refresh: Refresh): boolean => refresh.endedAt !== null
