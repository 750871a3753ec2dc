/** Documents, runs and instances that say only what a test is about. */
import type { DagDocument, TaskDocument } from '@daggerboard/dag'
import { type DagRun, scheduledRun } from '../src/scheduling/dag-run.ts'
import { newTaskInstance, type TaskInstance } from '../src/scheduling/task-instance.ts'

/** Tasks by id, each with what is unusual about it; edges by `upstream`. */
export function madeUpDag(tasks: Readonly<Record<string, Partial<TaskDocument>>>, facts: Partial<DagDocument> = {}): DagDocument {
  return {
    dagId: 'wind',
    description: null,
    docMd: null,
    schedule: { kind: 'cron', expression: '0 0 * * *', interval: true, text: '@daily' },
    timezone: 'UTC',
    startDate: null,
    endDate: null,
    catchup: false,
    maxActiveRuns: 16,
    maxActiveTasks: 16,
    maxConsecutiveFailedRuns: 0,
    runTimeoutSeconds: null,
    failFast: false,
    tasksPerWorker: 1,
    isPausedUponCreation: null,
    tags: [],
    owners: [],
    params: {},
    paramSchemas: {},
    deadlines: [],
    callbacks: { onSuccess: false, onFailure: false },
    groups: [],
    templateSearchPath: [],
    rendersNative: false,
    ...facts,
    tasks: Object.entries(tasks).map(([taskId, task]) => ({
      ...TASK,
      taskId,
      downstream: Object.keys(tasks).filter((other) => tasks[other]?.upstream?.includes(taskId)),
      ...task,
    })),
  }
}

const TASK: TaskDocument = {
  taskId: '',
  groupId: null,
  operator: 'function',
  owner: '',
  docMd: null,
  args: {},
  upstream: [],
  downstream: [],
  input: {},
  triggerRule: 'all_success',
  retries: 0,
  retryDelaySeconds: 300,
  retryBackoff: 0,
  maxRetryDelaySeconds: null,
  executionTimeoutSeconds: null,
  dependsOnPast: false,
  waitForDownstream: false,
  ignoreFirstDependsOnPast: true,
  waitForPastDependsBeforeSkipping: false,
  pool: 'default_pool',
  poolSlots: 1,
  priorityWeight: 1,
  weightRule: 'downstream',
  maxActivePerDag: null,
  maxActivePerRun: null,
  role: 'work',
  setups: [],
  failsRun: false,
  expand: null,
  mapIndexTemplate: null,
  flow: 'none',
  sensor: null,
  callbacks: { onSuccess: false, onFailure: false, onRetry: false, onExecute: false, onSkipped: false },
  inlets: [],
  outlets: [],
}

/** The scheduled run of one day, `2024-01-05`. */
export function madeUpRun(day: string, facts: Partial<DagRun> = {}): DagRun {
  const start = new Date(`${day}T00:00:00Z`)
  const end = new Date(start.getTime() + 86_400_000)
  return { ...scheduledRun('wind', { logicalDate: start, interval: { start, end }, runAfter: end }, end), ...facts }
}

/** An instance in some state; one that has run has had one try. */
export function madeUpInstance(document: DagDocument, run: DagRun, taskId: string, facts: Partial<TaskInstance> = {}): TaskInstance {
  const task = document.tasks.find((one) => one.taskId === taskId) as TaskDocument
  const hasRun = ['success', 'failed', 'running', 'up_for_retry', 'deferred'].includes(facts.state ?? 'none')
  return { ...newTaskInstance(run, task), ...(hasRun && { tryNumber: 1, startedAt: run.runAfter }), ...facts }
}
