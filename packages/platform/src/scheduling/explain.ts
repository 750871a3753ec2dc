/** Why a task does not run, what would free it, and when: said over the very rules by which the scheduler decides. Pure. */
import type { Board } from './board.ts'
import type { BoardRun } from './board-run.ts'
import type { PlannedTask } from './dag-plan.ts'
import { isFinished } from './dag-run.ts'
import { fromThisRun, pastHindrance } from './dependencies.ts'
import { reachedLimits } from './limits.ts'
import { isDone, type TaskInstance, type TaskInstanceState } from './task-instance.ts'

interface Reason {
  readonly kind:
    | 'run'
    | 'dag'
    | 'upstream'
    | 'pastRun'
    | 'retry'
    | 'reschedule'
    | 'deferred'
    | 'limit'
    | 'pool'
    | 'parallelism'
    | 'priority'
    | 'running'
    | 'done'
  readonly sentence: string
  readonly freedBy: string | null
  /** ISO instant; null when nobody knows. */
  readonly at: string | null
}

export interface Explanation {
  readonly state: TaskInstanceState
  readonly reasons: readonly Reason[]
}

const reason = (kind: Reason['kind'], sentence: string, freedBy: string | null = null, at: string | null = null): Reason => ({
  kind,
  sentence,
  freedBy,
  at,
})

const QUEUED_FREED_BY = 'The end of any task that runs, or more of them at the same time: the setting [workers] concurrency.'

export function explain(board: Board, parallelism: number, of: BoardRun, instance: TaskInstance, now: Date): Explanation {
  const { state } = instance
  if (isDone(state)) return { state, reasons: [reason('done', `It has ended as ${state}.${instance.detail ? ` ${instance.detail}` : ''}`)] }
  const planned = of.tasks.get(instance.taskId)?.planned
  if (!planned) return { state, reasons: [reason('dag', "The DAG's file no longer has this task.", 'Put it back into the file.')] }
  const trouble = aboutTrouble(board, of)
  if (trouble && (state === 'none' || state === 'scheduled')) return { state, reasons: [trouble] }
  const ofRun = aboutRun(board, of, now)
  const own = aboutInstance(board, parallelism, of, planned, instance)
  const reasons = [...ofRun, ...own]
  // What its run waits for is all that there is to say.
  if (reasons.length === 0) reasons.push(reason('upstream', 'All that it depends on is met: it is looked at in one of the next turns.'))
  return { state, reasons: trouble ? [trouble, ...reasons] : reasons }
}

function aboutTrouble(board: Board, { run }: BoardRun): Reason | null {
  const trouble = board.quarantine.troubleOf(run)
  return trouble && reason('run', trouble.sentence, "A change of the DAG's file, or the next attempt.", trouble.triesAgainAt)
}

function aboutRun(board: Board, of: BoardRun, now: Date): Reason[] {
  const { run } = of
  const dag = board.dags.get(run.dagId)
  if (isFinished(run.state)) return [reason('run', `Its run has ended as ${run.state}.`, 'Clear the task, and with it the run.')]
  const reasons: Reason[] = []
  if (dag?.record.isStale) reasons.push(reason('dag', `The file of DAG "${run.dagId}" no longer has it.`, 'Put it back into the file.'))
  if (dag?.record.isPaused) reasons.push(reason('dag', `DAG "${run.dagId}" is paused.`, `Unpause DAG "${run.dagId}".`))
  if (run.state !== 'queued') return reasons
  if (Date.parse(run.runAfter) > now.getTime())
    reasons.push(reason('run', `Its run is queued, and begins at ${run.runAfter} at the earliest.`, 'That time.', run.runAfter))
  const own = board.runsOf(run.dagId)
  const lane = run.backfill?.id ?? null
  const most = (lane === null ? dag?.record.document.maxActiveRuns : board.backfills.get(lane)?.maxActiveRuns) ?? 0
  const running = [...own.running].filter((other) => (other.run.backfill?.id ?? null) === lane).length
  if (running >= most) {
    const whose = lane === null ? `DAG "${run.dagId}" has` : `Backfill ${lane} has`
    reasons.push(
      reason(
        'run',
        `Its run is queued: ${whose} ${running} runs running, and maxActiveRuns allows ${most}.`,
        'The end of one of these runs.',
      ),
    )
  } else if (reasons.length === 0) reasons.push(reason('run', 'Its run is queued: it begins in one of the next turns.'))
  return reasons
}

function aboutInstance(board: Board, parallelism: number, of: BoardRun, planned: PlannedTask, instance: TaskInstance): Reason[] {
  const { state, retryAt } = instance
  switch (state) {
    case 'none':
      return aboutDependencies(of, planned, instance)
    case 'up_for_retry': {
      const left = instance.maxTries + 1 - instance.tryNumber
      const why = instance.detail ? ` (${instance.detail})` : ''
      return [reason('retry', `Try ${instance.tryNumber} has failed${why}; ${left} more may follow.`, 'The time of its next try.', retryAt)]
    }
    case 'up_for_reschedule':
      return [
        reason(
          'reschedule',
          `It has looked ${instance.rescheduleCount} times, and looks again later.`,
          'The time of its next look.',
          retryAt,
        ),
      ]
    case 'deferred':
      return [aboutWait(instance)]
    case 'scheduled':
      return aboutSlots(board, parallelism, of, planned, instance)
    case 'queued':
      return [reason('running', `It has its slot since ${instance.queuedAt}, and waits for a place in a worker.`, QUEUED_FREED_BY)]
    case 'restarting':
      return [reason('running', 'It was cleared while it ran: what runs is being ended.', 'The end of what runs.')]
    default:
      return [reason('running', `It runs since ${instance.startedAt}.`)]
  }
}

function aboutDependencies(of: BoardRun, planned: PlannedTask, instance: TaskInstance): Reason[] {
  const reasons: Reason[] = []
  const { verdict, detail } = fromThisRun(of, planned, instance)
  if (verdict === 'wait') {
    const before = [...planned.upstream, ...planned.outerSetups].filter(({ taskId }) => of.tasks.get(taskId)?.isDone !== true)
    const names = before.map(({ taskId }) => `"${taskId}" (${stateOf(of, taskId)})`)
    const most = names.length > 10 ? [...names.slice(0, 10), `and ${names.length - 10} more`] : names
    const rule = planned.document.role === 'teardown' ? 'all done' : planned.document.triggerRule
    const sentence = `Its trigger rule ${rule} waits for ${most.join(', ') || 'the tasks before it'}.${detail ? ` ${detail}` : ''}`
    reasons.push(reason('upstream', sentence, 'The end of these tasks.'))
  } else if (verdict !== 'run') reasons.push(reason('upstream', `It becomes ${verdict}. ${detail ?? ''}`.trim()))
  const hindrance = pastHindrance(of, planned)
  if (hindrance !== null) reasons.push(reason('pastRun', hindrance, 'The end of that task in that run, or marking it success.'))
  return reasons
}

function stateOf(of: BoardRun, taskId: string): string {
  const task = of.tasks.get(taskId)
  if (!task) return 'missing'
  if (task.single) return task.single.state
  const left = [...task.instances.values()].filter(({ state }) => !isDone(state)).length
  return `${left} of ${task.instances.size} left`
}

function aboutWait({ deferral }: TaskInstance): Reason {
  const timeoutAt = deferral?.timeoutAt ?? null
  if (deferral?.wait.kind === 'time') return reason('deferred', `It waits until ${deferral.wait.at}.`, 'That time.', deferral.wait.at)
  if (deferral?.wait.kind === 'input') {
    const { subject, assignees } = deferral.wait.request
    const who = assignees.length > 0 ? `An answer of ${assignees.join(' or ')}.` : 'An answer.'
    return reason('deferred', `It waits for a human: ${subject}`, who, timeoutAt)
  }
  return reason(
    'deferred',
    `It waits without a worker for its trigger "${deferral?.wait.name ?? ''}".`,
    'What the trigger waits for.',
    timeoutAt,
  )
}

function aboutSlots(board: Board, parallelism: number, of: BoardRun, planned: PlannedTask, instance: TaskInstance): Reason[] {
  const dag = board.dags.get(of.run.dagId)
  if (!dag) return [reason('dag', 'Its DAG cannot be scheduled just now: the log of the server says why.')]
  const reasons: Reason[] = reachedLimits({
    instance,
    dag: dag.record,
    task: planned.document,
    slots: board.slots,
    activeOfTask: board.activeOfTask.bind(board),
  }).filter(({ kind }) => kind !== 'dag')
  if (board.slots.active >= parallelism) {
    const sentence = `${board.slots.active} tasks are active, and the setting parallelism allows ${parallelism}.`
    reasons.push(reason('parallelism', sentence, 'The end of any task.'))
    const before = board.ready.countBefore(instance)
    if (before > 0) reasons.push(reason('priority', `${before} waiting tasks have their turn before it.`, 'A higher priorityWeight.'))
  }
  if (reasons.length === 0 && !dag.record.isPaused)
    reasons.push(reason('running', 'It has room at all limits: it is started in the next turn.'))
  return reasons
}
