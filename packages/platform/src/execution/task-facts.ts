/** What a worker is told of the try that it runs. Plain data. */
import type { DagDocument, TaskDocument } from '@daggerboard/dag'

/** What a deferred task hears when it goes on. */
type Resume = { readonly value: unknown } | { readonly error: string; readonly ends?: 'failed' | 'skipped' }

export interface TaskFacts {
  readonly dagId: string
  readonly runId: string
  readonly taskId: string
  /** -1 for a task that is not mapped. */
  readonly mapIndex: number
  /** 1 for the first try. */
  readonly tryNumber: number
  readonly maxTries: number
  readonly runType: string
  /** Instants are ISO strings in UTC. Null when the run stands for its data interval alone. */
  readonly logicalDate: string | null
  readonly dataIntervalStart: string
  readonly dataIntervalEnd: string
  readonly previousIntervalStart: string | null
  readonly runAfter: string
  readonly runQueuedAt: string
  readonly runStartedAt: string | null
  readonly conf: Readonly<Record<string, unknown>>
  readonly startedBy: string
  /** What the task goes on with after it was deferred; null for a beginning. */
  readonly resume: Resume | null
  readonly firstStartedAt: string | null
  readonly rescheduleCount: number
  /** How many instances the mapped task has; null for one that is not mapped. */
  readonly mapCount: number | null
  /** Run in the foreground, to see what it does: nothing of it is recorded. */
  readonly isTest?: boolean
  /** Only its templates are rendered. */
  readonly isDryRun?: boolean
  readonly dag: DagFacts
  readonly task: TaskDocument
}

/** What a worker is told of the DAG, once. */
export type DagFacts = Pick<
  DagDocument,
  'params' | 'timezone' | 'description' | 'tags' | 'owners' | 'docMd' | 'templateSearchPath' | 'rendersNative' | 'schedule'
>

export const dagFacts = (document: DagFacts): DagFacts => {
  const { params, timezone, description, tags, owners, docMd, templateSearchPath, rendersNative, schedule } = document
  return { params, timezone, description, tags, owners, docMd, templateSearchPath, rendersNative, schedule }
}

/** The DAG's params, overridden by what the run was triggered with. */
export const paramsOf = ({
  dag,
  conf,
}: Pick<TaskFacts, 'conf'> & { readonly dag: Pick<DagFacts, 'params'> }): Readonly<Record<string, unknown>> => ({ ...dag.params, ...conf })

type Instance = Pick<TaskFacts, 'dagId' | 'runId' | 'taskId'> & { readonly mapIndex?: number }

/** The same for every try of a task in a run. */
export const idempotencyKey = ({ dagId, runId, taskId, mapIndex = -1 }: Instance): string =>
  mapIndex < 0 ? `${dagId}/${runId}/${taskId}` : `${dagId}/${runId}/${taskId}[${mapIndex}]`

/** The subject of the principal that a try acts as. */
export const taskSubject = (facts: Instance & Pick<TaskFacts, 'tryNumber'>): string => `task:${idempotencyKey(facts)}#${facts.tryNumber}`
