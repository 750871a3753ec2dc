/** Reports become moves. Only what comes with the token of the try under way counts. */
import { newId } from '../core/id.ts'
import { toAttempt } from './attempt.ts'
import type { BoardRun } from './board-run.ts'
import { restartInstance } from './clear.ts'
import { runKey } from './dag-run.ts'
import { lengthOf } from './expansion.ts'
import type { Report } from './report.ts'
import { retryDelaySeconds } from './retry.ts'
import { type Deferral, type InputRequest, isActive, isDone, type TaskInstance, type Wait, type WaitEvent } from './task-instance.ts'
import type { AttemptResult } from './task-runner.ts'
import type { Turn } from './turn.ts'
import { RETURN_VALUE } from './xcom.ts'

/** A task whose try was lost this often with the platform is taken to be what ends it. */
const MAX_LOST_ATTEMPTS = 3

export interface Hearing {
  /** Of how many elements a list or an object may be that mapped tasks are made of. */
  readonly maxMapLength: number
}

export function hear(turn: Turn, report: Report, limits: Hearing): void {
  if (report.kind === 'called') turn.called.push(report.id)
  else if (report.kind === 'cancelled') turn.cancellationsDone.push(report.id)
  else if (report.kind === 'waited') goOn(turn, report.instance, report.event)
  else hearOfAttempt(turn, report, limits)
}

function hearOfAttempt(turn: Turn, report: Extract<Report, { kind: 'started' | 'ended' }>, limits: Hearing): void {
  const found = turn.board.findAttempt(report.attemptId)
  const of = found && turn.board.runs.get(runKey(found))
  if (!found || !of) return
  if (report.kind === 'started') {
    if (found.state === 'queued') begin(turn, of, found, report.at.toISOString())
    return
  }
  const { result } = report
  if (found.state === 'restarting') restart(turn, of, found)
  else settle(turn, of, found.state === 'queued' ? begin(turn, of, found, result.startedAt) : found, result, limits)
}

function begin(turn: Turn, of: BoardRun, queued: TaskInstance, startedAt = turn.now.toISOString()): TaskInstance {
  const isSensor = of.tasks.get(queued.taskId)?.planned?.document.sensor != null
  return turn.move(of, queued, 'running', {
    startedAt: queued.startedAt ?? startedAt,
    ...(isSensor && { firstStartedAt: queued.firstStartedAt ?? startedAt }),
  })
}

function settle(turn: Turn, of: BoardRun, running: TaskInstance, told: AttemptResult, limits: Hearing): void {
  // An operator may have no args at all; what is undefined no store can keep.
  const result = told.renderedFields === undefined ? { ...told, renderedFields: null } : told
  const { renderedFields } = result
  const endedAt = result.endedAt === undefined ? {} : { endedAt: result.endedAt }
  switch (result.state) {
    case 'success': {
      const problem = mapProblem(of, running, result.output, limits)
      if (problem === null) succeed(turn, of, running, result, endedAt)
      else fail(turn, of, running, { detail: problem, isFinal: false, renderedFields })
      break
    }
    case 'skipped':
      turn.move(of, running, 'skipped', { detail: result.detail, renderedFields, ...endedAt })
      callBack(turn, of, running, 'onSkipped', result.detail)
      break
    case 'failed':
      fail(turn, of, running, result)
      break
    case 'rescheduled':
      turn.move(of, running, 'up_for_reschedule', {
        retryAt: result.at,
        rescheduleCount: running.rescheduleCount + 1,
        firstStartedAt: running.firstStartedAt ?? running.startedAt,
        deferral: null,
        renderedFields,
      })
      break
    case 'deferred': {
      const { wait, timeoutSeconds } = result
      const timeoutAt = waitTimeout(turn, of, running, timeoutSeconds)
      const deferral = { wait, timeoutAt, event: null }
      const deferred = turn.move(of, running, 'deferred', {
        deferral,
        renderedFields,
        firstStartedAt: running.firstStartedAt ?? running.startedAt,
      })
      if (wait.kind === 'trigger') turn.waits.push(deferred)
      break
    }
  }
  clearEarlierXComs(turn, of, running)
}

/** A wait ends with its own limit of time or with that of its try, whichever is first; null without one. */
function waitTimeout(turn: Turn, of: BoardRun, { taskId, startedAt }: TaskInstance, timeoutSeconds: number | null): string | null {
  const limit = of.tasks.get(taskId)?.planned?.document.executionTimeoutSeconds ?? null
  const ends: number[] = []
  if (timeoutSeconds !== null) ends.push(turn.now.getTime() + timeoutSeconds * 1000)
  if (limit !== null && startedAt !== null) ends.push(Date.parse(startedAt) + limit * 1000)
  return ends.length === 0 ? null : new Date(Math.min(...ends)).toISOString()
}

function succeed(
  turn: Turn,
  of: BoardRun,
  running: TaskInstance,
  result: AttemptResult & { state: 'success' },
  endedAt: { endedAt?: string },
): void {
  const { output, renderedFields } = result
  const planned = of.tasks.get(running.taskId)?.planned
  const isAnswer = output !== undefined && output !== null
  const succeeded = turn.move(of, running, 'success', {
    renderedFields,
    skip: result.skip ?? null,
    mapLabel: result.mapLabel ?? null,
    mapLength: running.mapIndex >= 0 ? Number(isAnswer) : planned?.isSource ? lengthOf(output) : null,
    ...endedAt,
  })
  if (isAnswer) {
    const { dagId, runId, taskId, mapIndex } = running
    turn.xcoms.push({ dagId, runId, taskId, mapIndex, key: RETURN_VALUE, value: output, at: turn.now.toISOString() })
  }
  if (planned && planned.document.outlets.length > 0) turn.updates.push({ instance: succeeded, by: of.run.createdBy, result })
  callBack(turn, of, succeeded, 'onSuccess', 'The task has succeeded.')
}

/** Why mapped tasks cannot be made of an answer; null when they can, or none are. */
function mapProblem(of: BoardRun, { taskId, mapIndex }: TaskInstance, output: unknown, { maxMapLength }: Hearing): string | null {
  const planned = of.tasks.get(taskId)?.planned
  if (!planned?.isSource || mapIndex >= 0) return null
  const length = lengthOf(output)
  if (length === null) {
    const found = output === null || output === undefined ? 'nothing' : `a ${typeof output}`
    return `Mapped tasks are made of what this task answers, which must be a list or an object; it has answered ${found}.`
  }
  if (length <= maxMapLength) return null
  return `Mapped tasks are made of what this task answers, which has ${length} elements; the setting max_map_length allows ${maxMapLength}.`
}

interface Failure {
  readonly detail: string
  readonly isFinal: boolean
  readonly renderedFields?: unknown
  readonly retryAfterSeconds?: number
}

/** The try has failed: the task is tried again if it may be. */
function fail(turn: Turn, of: BoardRun, instance: TaskInstance, { detail, isFinal, renderedFields, retryAfterSeconds }: Failure): void {
  const { run } = of
  const planned = of.tasks.get(instance.taskId)?.planned
  const facts = { detail, renderedFields: renderedFields ?? instance.renderedFields }
  if (isFinal || !planned || instance.tryNumber > instance.maxTries) {
    const failed = turn.move(of, instance, 'failed', facts)
    callBack(turn, of, failed, 'onFailure', detail)
    if (planned && of.plan?.document.failFast) failFast(turn, of, failed)
    clearEarlierXComs(turn, of, instance)
    return
  }
  const waitSeconds =
    retryAfterSeconds ??
    retryDelaySeconds(planned.document, {
      dagId: run.dagId,
      logicalDate: new Date(run.logicalDate ?? run.runAfter),
      tryNumber: instance.tryNumber,
    })
  const retryAt = new Date(turn.now.getTime() + waitSeconds * 1000).toISOString()
  const waiting = turn.move(of, instance, 'up_for_retry', { ...facts, retryAt })
  callBack(turn, of, waiting, 'onRetry', detail)
}

/** The first failure ends what else there is of the run; teardowns still run. */
function failFast(turn: Turn, of: BoardRun, failed: TaskInstance): void {
  const detail = `Task "${failed.taskId}" has failed, and its DAG is to fail fast.`
  for (const instance of [...of.instances()]) {
    const isTeardown = of.tasks.get(instance.taskId)?.planned?.document.role === 'teardown'
    if (isDone(instance.state) || isTeardown) continue
    turn.cancel(instance)
    turn.move(of, instance, isActive(instance.state) ? 'failed' : 'skipped', { detail })
  }
}

/** What a deferred task waited for is there: it goes on. The instance must still be as it was when the wait began. */
export function goOn(turn: Turn, instance: TaskInstance, event: WaitEvent): void {
  const of = turn.board.runs.get(runKey(instance))
  const found = of?.find(instance.taskId, instance.mapIndex)
  if (!of || found?.state !== 'deferred' || found.revision !== instance.revision || !found.deferral) return
  turn.move(of, found, 'scheduled', { deferral: { ...found.deferral, wait: answered(found.deferral.wait, event, turn.now), event } })
}

/** A question that has got an answer, be it the default one, says so. */
function answered(wait: Wait, event: NonNullable<Deferral['event']>, now: Date): Wait {
  if (wait.kind !== 'input' || !('value' in event) || wait.request.respondedAt !== null) return wait
  const { chosen, paramsInput } = event.value as Pick<InputRequest, 'chosen' | 'paramsInput'>
  return { ...wait, request: { ...wait.request, chosen, paramsInput, respondedAt: now.toISOString() } }
}

/** What worked for a cleared task has ended: it begins anew. */
export function restart(turn: Turn, of: BoardRun, instance: TaskInstance): void {
  const planned = of.tasks.get(instance.taskId)?.planned
  turn.keepTry(instance)
  if (planned) turn.put(of, restartInstance(instance, planned.document, turn.now))
  else turn.move(of, instance, 'failed', { detail: "The DAG's file no longer has this task." })
}

/**
 * A try whose platform ended under it. Not begun: it keeps its number and waits for a slot again. Begun: the task is tried again
 * at once without using up its retries, since it was not at fault; after three such losses in a row of tries it counts as failed.
 */
export function lose(turn: Turn, of: BoardRun, instance: TaskInstance): void {
  if (instance.state === 'restarting') restart(turn, of, instance)
  else if (instance.state === 'queued') {
    const goesOn = instance.deferral !== null || instance.rescheduleCount > 0
    turn.move(of, instance, 'scheduled', { tryNumber: goesOn ? instance.tryNumber : instance.tryNumber - 1 })
  } else if (instance.lostAttempts < MAX_LOST_ATTEMPTS && isAnswered(instance)) {
    const detail = 'The platform ended during this try; it goes on with the answer that it has got.'
    turn.move(of, instance, 'scheduled', { lostAttempts: instance.lostAttempts + 1, detail })
  } else if (instance.lostAttempts < MAX_LOST_ATTEMPTS) {
    turn.keepTry({ ...instance, state: 'failed', endedAt: turn.now.toISOString(), detail: 'The platform ended during this try.' })
    turn.move(of, instance, 'scheduled', {
      lostAttempts: instance.lostAttempts + 1,
      maxTries: instance.maxTries + 1,
      deferral: null,
      rescheduleCount: 0,
      firstStartedAt: instance.firstStartedAt ?? instance.startedAt,
      detail: `The platform ended during try ${instance.tryNumber}; the task is tried again.`,
    })
  } else {
    turn.cancelLost(instance)
    fail(turn, of, instance, { detail: `The platform has ended during ${MAX_LOST_ATTEMPTS + 1} tries of this task.`, isFinal: true })
  }
}

/** A human has answered it, and is not asked again. */
const isAnswered = ({ deferral }: TaskInstance): boolean => deferral?.wait.kind === 'input' && deferral.event !== null

/** Only now: a try may ask what the one before it has left, such as the id of a build that still runs, and join it. */
function clearEarlierXComs(turn: Turn, of: BoardRun, { dagId, runId, taskId, mapIndex, tryNumber, queuedAt }: TaskInstance): void {
  const isThrough = isDone(of.find(taskId, mapIndex)?.state ?? 'none')
  if (isThrough && tryNumber > 1 && queuedAt !== null) turn.xcomsCleared.push({ dagId, runId, taskId, mapIndex, before: queuedAt })
}

/** Has the author's function called if there is one. */
function callBack(
  turn: Turn,
  of: BoardRun,
  instance: TaskInstance,
  which: 'onSuccess' | 'onFailure' | 'onRetry' | 'onSkipped',
  reason: string,
): void {
  const planned = of.tasks.get(instance.taskId)?.planned
  const dag = turn.board.dags.get(of.run.dagId)
  if (!dag || !planned?.document.callbacks[which]) return
  const id = newId()
  const attempt = { ...toAttempt(dag, of, planned, instance), attemptId: id }
  const { dagId, runId } = of.run
  turn.calls.push({ id, which, attempt, dagId, runId, file: dag.record.file, reason })
}
