/** What a worker is told of the try that it runs. Plain data. */

export interface TaskFacts {
  readonly dagId: string
  readonly runId: string
  readonly taskId: string
  /** 1 for the first try. */
  readonly tryNumber: number
  readonly maxTries: number
  readonly runType: string
  /** Instants are ISO strings in UTC. Null when the run stands for its data interval alone. */
  readonly logicalDate: string | null
  readonly dataIntervalStart: string
  readonly dataIntervalEnd: string
  readonly previousIntervalStart: string | null
  readonly conf: Readonly<Record<string, unknown>>
  readonly dag: {
    readonly params: Readonly<Record<string, unknown>>
    readonly timezone: string
    readonly description: string | null
    readonly tags: readonly string[]
    readonly owners: readonly string[]
  }
  readonly task: { readonly owner: string; readonly retries: number; readonly operator: string }
}

/** The DAG's params, overridden by what the run was triggered with. */
export const paramsOf = ({ dag, conf }: Pick<TaskFacts, 'dag' | 'conf'>): Readonly<Record<string, unknown>> => ({ ...dag.params, ...conf })

/** The same for every try of a task in a run. */
export const idempotencyKey = ({ dagId, runId, taskId }: Pick<TaskFacts, 'dagId' | 'runId' | 'taskId'>): string =>
  `${dagId}/${runId}/${taskId}`

/** The subject of the principal that a try acts as. */
export const taskSubject = (facts: Pick<TaskFacts, 'dagId' | 'runId' | 'taskId' | 'tryNumber'>): string =>
  `task:${idempotencyKey(facts)}#${facts.tryNumber}`
