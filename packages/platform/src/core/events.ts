/** What happened, told once by the room where it happened. Logs, the live stream and the refreshes are subscribers. */
import type { Clock } from './clock.ts'

/** The facts of each kind of event. Names and states are those of the protocol that the room speaks. */
export interface EventFacts {
  /** A DAG file has been read: its DAGs, or why there are none and where in the file. */
  'dag_file.changed': { file: string; dagIds: readonly string[]; line: number | null; error: string | null }
  'dag_run.changed': {
    dagId: string
    runId: string
    runType: string
    state: string
    dataIntervalStart: string | null
    dataIntervalEnd: string | null
    startedAt: string | null
    endedAt: string | null
  }
  'task_instance.changed': {
    dagId: string
    runId: string
    taskId: string
    mapIndex: number
    operator: string
    tryNumber: number
    state: string
    startedAt: string | null
    endedAt: string | null
    detail: string | null
  }
  /** A run was to be through by `at`: the deadline of that number in its DAG. */
  'deadline.missed': { dagId: string; runId: string; deadline: number; at: string }
  /** `state` as in Dataproc's ClusterStatus. */
  'cluster.changed': { clusterName: string; state: string; detail: string | null }
  /** `state` as in Dataproc's JobStatus; `progress` from 0 to 1 where it is known. */
  'job.changed': {
    jobId: string
    clusterName: string
    state: string
    progress: number | null
    detail: string | null
    outputRows: number | null
    inputRows: number | null
  }
  /** `status` as in Cloud Build; `steps` in the order of the file. */
  'build.changed': {
    buildId: string
    status: string
    detail: string | null
    repository: string | null
    branch: string | null
    commitSha: string | null
    trigger: string | null
    createdAt: string
    startedAt: string | null
    finishedAt: string | null
    steps: readonly { id: string; status: string; startedAt: string | null; finishedAt: string | null }[]
  }
  'repository.pushed': { repository: string; ref: string; before: string; after: string }
  'experiment_run.changed': { experiment: string; runId: string; runName: string; status: string }
  'param.logged': { runId: string; key: string; value: string }
  'metric.logged': { runId: string; key: string; value: number; step: number }
  /** `stage` as in MLflow: None, Staging, Production, Archived. */
  'model_version.changed': { name: string; version: string; stage: string; runId: string; metrics: Readonly<Record<string, number>> }
  'image.pushed': { repository: string; digest: string; tag: string | null; bytes: number }
  /** `state`: deploying, ready, failed, draining, retired. */
  'revision.changed': { service: string; revision: string; state: string; image: string; detail: string | null }
  'traffic.changed': { service: string; revision: string; percent: number; url: string }
}

export type EventType = keyof EventFacts

export type DomainEvent = {
  [Type in EventType]: {
    readonly id: number
    readonly at: string
    readonly type: Type
    /** The subject of the principal that created the thing that changed: `user:…`, `task:…`, `build:…`, `revision:…`, `system`. */
    readonly by: string
    readonly facts: Readonly<EventFacts[Type]>
  }
}[EventType]

/** Tells subscribers in order, in the same turn. A subscriber that throws is reported and hurts no other. */
export class Events {
  #subscribers = new Set<(event: DomainEvent) => void>()
  #lastId = 0
  #clock: Clock
  #onError: (error: unknown) => void

  constructor(clock: Clock, onError: (error: unknown) => void = () => {}) {
    this.#clock = clock
    this.#onError = onError
  }

  emit<Type extends EventType>(type: Type, by: string, facts: EventFacts[Type]): void {
    const event = { id: ++this.#lastId, at: this.#clock.now().toISOString(), type, by, facts } as DomainEvent
    for (const subscriber of this.#subscribers) {
      try {
        subscriber(event)
      } catch (error) {
        this.#onError(error)
      }
    }
  }

  /** Answers the function that ends the subscription. */
  subscribe(subscriber: (event: DomainEvent) => void): () => void {
    this.#subscribers.add(subscriber)
    return () => this.#subscribers.delete(subscriber)
  }
}
