/** What is done when its time has come: retries, waits, limits of time. */
import { newId } from '../core/id.ts'
import { timeOut } from './advance.ts'
import type { Wake } from './board.ts'
import type { BoardRun } from './board-run.ts'
import { faultOfRun } from './fault.ts'
import { goOn } from './hear.ts'
import { unanswered } from './input-answer.ts'
import type { Deferral, TaskInstance } from './task-instance.ts'
import type { Turn } from './turn.ts'

export function wakeDue(turn: Turn): void {
  const { board, now } = turn
  for (let next = board.wakes.peek(); next && next.at <= now.getTime(); next = board.wakes.peek()) {
    board.wakes.pop()
    if (next.kind === 'dag') board.dagWoken(next.dagId, next.at)
    else if (board.runs.get(next.run.key) === next.run && !next.run.isHeld) wakeOne(turn, next)
  }
}

function wakeOne(turn: Turn, wake: Exclude<Wake, { kind: 'dag' }>): void {
  const of = wake.run
  try {
    if (wake.kind === 'run') wakeRun(turn, of)
    else {
      const instance = of.find(wake.taskId, wake.mapIndex)
      if (instance?.revision === wake.revision) wakeInstance(turn, of, instance)
    }
  } catch (error) {
    throw faultOfRun(of.run, error)
  }
}

function wakeInstance(turn: Turn, of: BoardRun, instance: TaskInstance): void {
  if (instance.state === 'up_for_reschedule') turn.move(of, instance, 'scheduled')
  else if (instance.state === 'up_for_retry') {
    turn.keepTry(instance)
    turn.move(of, instance, 'scheduled', { rescheduleCount: 0 })
  } else if (instance.state === 'deferred' && instance.deferral) {
    const event = dueEvent(instance.deferral, turn.now)
    if (!event) return
    if (instance.deferral.wait.kind === 'trigger') turn.waitsEnded.push(instance)
    goOn(turn, instance, event)
  }
}

/** What a wait has come to by its time alone. */
function dueEvent({ wait, timeoutAt }: Deferral, now: Date): Deferral['event'] {
  if (wait.kind === 'time' && new Date(wait.at) <= now) return { value: null }
  if (timeoutAt === null || new Date(timeoutAt) > now) return null
  return wait.kind === 'input' ? unanswered(wait.request) : { error: 'What it waited for has not come in time.' }
}

function wakeRun(turn: Turn, of: BoardRun): void {
  const { board, now } = turn
  const { run } = of
  if (run.state === 'queued') board.toPromote.add(run.dagId)
  missDeadlines(turn, of)
  const limit = of.plan?.document.runTimeoutSeconds ?? null
  if (run.state !== 'running' || limit === null || run.startedAt === null) return
  if (Date.parse(run.startedAt) + limit * 1000 <= now.getTime()) timeOut(turn, of)
}

function missDeadlines(turn: Turn, of: BoardRun): void {
  const { run } = of
  const isMissed = (deadline: (typeof run.deadlines)[number]) => deadline && !deadline.isMissed && new Date(deadline.at) <= turn.now
  if (!run.deadlines.some(isMissed)) return
  const dag = turn.board.dags.get(run.dagId)
  for (const [i, deadline] of run.deadlines.entries()) {
    if (!deadline || !isMissed(deadline)) continue
    const { dagId, runId } = run
    const reason = `The run was to be through by ${deadline.at}.`
    turn.missed.push({ run, index: i, at: deadline.at })
    if (dag) turn.calls.push({ id: newId(), which: `deadline:${i}`, attempt: null, dagId, runId, file: dag.record.file, reason })
  }
  const deadlines = run.deadlines.map((deadline) => (isMissed(deadline) && deadline ? { ...deadline, isMissed: true } : deadline))
  turn.putRun({ ...run, deadlines, revision: run.revision + 1 })
}
