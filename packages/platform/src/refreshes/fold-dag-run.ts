/** A DAG run and its tasks, as a refresh sees them. */
import type { DomainEvent } from '../core/events.ts'
import type { Refresh, RefreshTask, StageKind } from './refresh.ts'
import { isRunOver, isSameTask } from './settle.ts'
import { changeStage, isOpenPlan, isOver, LINE, placeOf, planned } from './stage.ts'

type Event<Type extends DomainEvent['type']> = Extract<DomainEvent, { type: Type }>

/** DAGs that carry data all the way to traffic: `pipeline_ml`, `pipeline_ml_staging`, `pipeline_ml_production`. Others are no refreshes. */
const isRefreshDag = (dagId: string) => /^pipeline_ml(_|$)/.test(dagId)

export function foldDagRun(owner: Refresh | undefined, { facts, at }: Event<'dag_run.changed'>): Refresh | undefined {
  if (!owner && !isRefreshDag(facts.dagId)) return undefined
  const before = owner ?? newRun(facts, at)
  const isCleared = isRunOver(before.dagRunState) && !isRunOver(facts.state)
  const stages = isCleared ? before.stages.map((s) => (s.state === 'success' ? s : planned(placeOf(s)))) : before.stages
  return { ...before, stages, dagRunState: facts.state, startedAt: facts.startedAt ?? before.startedAt, reason: null }
}

function newRun(facts: Event<'dag_run.changed'>['facts'], at: string): Refresh {
  const { dagId, runId, dataIntervalStart: start, dataIntervalEnd: end } = facts
  const environment = /staging/.test(dagId) ? 'staging' : /prod/.test(dagId) ? 'production' : 'staging and production'
  const interval = { ...planned('interval'), start, end, state: 'success', startedAt: at, endedAt: at } as const
  return {
    id: `${dagId}~${runId}`,
    origin: { kind: 'dag_run', dagId, runId, repository: null, branch: null },
    environment,
    dataInterval: start !== null && end !== null ? { start, end } : null,
    state: 'queued',
    reason: null,
    createdAt: at,
    startedAt: facts.startedAt,
    endedAt: null,
    stages: LINE.map((place) => (place === 'interval' ? { ...interval, kind: 'interval' } : planned(place))),
    dagRunState: facts.state,
    tasks: [],
  }
}

export function foldTaskInstance(owner: Refresh | undefined, event: Event<'task_instance.changed'>): Refresh | undefined {
  if (!owner) return undefined
  const { taskId, operator, tryNumber, state, startedAt, endedAt, detail } = event.facts
  const task: RefreshTask = { taskId, operator, tryNumber, state, startedAt, endedAt, detail }
  const index = owner.tasks.findIndex((known) => known.taskId === taskId)
  const tasks = index < 0 ? [...owner.tasks, task] : owner.tasks.with(index, task)
  const kind = stageDrivenBy(task)
  return kind ? driveStage({ ...owner, tasks }, kind, task, event.at) : { ...owner, tasks }
}

/** Which stage the task brings about, by what its operator is called; tasks that clean up bring about none. */
function stageDrivenBy({ operator, taskId }: RefreshTask): Extract<StageKind, 'cluster' | 'transform' | 'build'> | null {
  const name = `${operator} ${taskId}`
  if (/delete|wait/i.test(name)) return null
  if (/create_?(dataproc|cluster)|createcluster/i.test(name)) return 'cluster'
  if (/submit_?job|(spark|sql)_?job/i.test(name)) return 'transform'
  return /build/i.test(name) ? 'build' : null
}

/** Before the stage's own events come, and when they never do, its task is all that is known of it. */
function driveStage(refresh: Refresh, kind: 'cluster' | 'transform' | 'build', task: RefreshTask, at: string): Refresh {
  const reference = { taskId: task.taskId, tryNumber: task.tryNumber }
  const meant = refresh.stages.find((s) => s.kind === kind && isSameTask(s.task, reference))
  if (task.state === 'running') {
    // A deferred task goes on in the same try: what it waited for has ended already.
    if (meant && 'task' in meant && meant.task?.tryNumber === task.tryNumber) return refresh
    if (meant?.state === 'running') return changeStage(refresh, kind, (s) => s === meant, { task: reference })
    const again = { state: 'running', startedAt: task.startedAt ?? at, endedAt: null, detail: null, task: reference } as const
    return changeStage(refresh, kind, (s) => s === meant, again)
  }
  if (!meant) return refresh
  const endedAt = task.endedAt ?? at
  if (task.state === 'failed' && meant.state !== 'failed')
    return changeStage(refresh, kind, (s) => s === meant, { state: 'failed', endedAt, detail: task.detail })
  if (task.state === 'up_for_retry')
    return changeStage(refresh, kind, (s) => s === meant, {
      detail: `Try ${task.tryNumber} failed and will be repeated. ${task.detail ?? ''}`.trim(),
    })
  if (task.state === 'success' && isOpenPlan(meant) && !isOver(meant.state))
    return changeStage(refresh, kind, (s) => s === meant, { state: 'success', endedAt })
  return refresh
}
