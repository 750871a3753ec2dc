/** `tasks test`: one task in the workshop, whatever comes before it. */
import { maskedValue } from '../adapters/process/masked-outcome.ts'
import type { TaskTest, TestedTask } from '../cli/host.ts'
import { AppError, didYouMean } from '../core/app-error.ts'
import { systemClock } from '../core/clock.ts'
import type { DagRecord } from '../scheduling/dag.ts'
import { planOf } from '../scheduling/dag-plan.ts'
import { type Answer, acceptAnswer, unanswered } from '../scheduling/input-answer.ts'
import { manualRun } from '../scheduling/manual-run.ts'
import type { InputRequest } from '../scheduling/task-instance.ts'
import { type Attempt, type AttemptResult, type TaskRunner, WaitEnded } from '../scheduling/task-runner.ts'
import { timetable } from '../scheduling/timetable.ts'
import type { Settings } from '../settings.ts'
import { TestedQuestions } from './tested-questions.ts'
import { Workshop } from './workshop.ts'

export async function testTask(settings: Settings, order: TaskTest): Promise<TestedTask> {
  const { onLine, signal, environment, xcoms } = order
  const workshop = await Workshop.open({ settings, onLine, environment })
  try {
    const dag = await workshop.read(order.dagId)
    const attempt = attemptOf(dag, order)
    const at = systemClock.now().toISOString()
    for (const xcom of xcoms) await workshop.xcoms.save({ ...xcom, dagId: attempt.dagId, runId: attempt.runId, at })
    const questions = new TestedQuestions(order.answers, onLine)
    questions.check(order.dagId, [order.taskId])
    const result = await runToItsEnd(workshop.pool, questions, attempt, signal)
    const { state, renderedFields } = result
    const output = 'output' in result ? maskedValue(result.output, workshop.mask) : null
    return { state, renderedFields, detail: 'detail' in result ? result.detail : null, output }
  } finally {
    await workshop.close()
  }
}

/** Waits of the task are waited for here. */
async function runToItsEnd(pool: TaskRunner, questions: TestedQuestions, attempt: Attempt, signal: AbortSignal): Promise<AttemptResult> {
  const result = await pool.run(attempt, signal, () => {})
  if (signal.aborted) throw signal.reason
  const until = (at: string) => systemClock.sleep(Math.max(0, Date.parse(at) - Date.now()), signal)
  const firstStartedAt = attempt.firstStartedAt ?? result.startedAt ?? systemClock.now().toISOString()
  if (result.state === 'rescheduled') {
    await until(result.at)
    return runToItsEnd(pool, questions, { ...attempt, firstStartedAt, rescheduleCount: attempt.rescheduleCount + 1 }, signal)
  }
  if (result.state !== 'deferred') return result
  const { wait } = result
  if (wait.kind === 'input') {
    const resume = await answered(questions, attempt, wait.request, signal)
    return runToItsEnd(pool, questions, { ...attempt, firstStartedAt, resume }, signal)
  }
  const event =
    wait.kind === 'time'
      ? until(wait.at).then(() => ({ value: null }))
      : pool.wait(attempt, wait, signal).then(
          (value) => ({ value }),
          (error: Error) => ({ error: error.message, ...(error instanceof WaitEnded && { ends: error.ends }) }),
        )
  return runToItsEnd(pool, questions, { ...attempt, firstStartedAt, resume: await event }, signal)
}

async function answered(
  questions: TestedQuestions,
  attempt: Attempt,
  request: InputRequest,
  signal: AbortSignal,
): Promise<NonNullable<Attempt['resume']>> {
  if (!questions.isAnswered(attempt, request)) return unanswered(request)
  const { taskId } = attempt
  const accept = (answer: Answer, by: string) => acceptAnswer(request, answer, { taskId, by, now: systemClock.now() })
  return { value: await questions.ask(attempt, request, accept, signal) }
}

/** Throws `not_found` when the DAG has no such task, `invalid` when the index does not fit it: an index of a mapped task, none of another one. */
function attemptOf(dag: DagRecord, { taskId, mapIndex, logicalDate, conf, run, rendersOnly }: TaskTest): Attempt {
  const { document, file } = dag
  const task = document.tasks.find((each) => each.taskId === taskId)
  const known = document.tasks.map((each) => each.taskId)
  if (!task) throw new AppError('not_found', `DAG "${dag.dagId}" has no task "${taskId}".${didYouMean(taskId, known)}`)
  const isMapped = planOf(document).tasks.get(taskId)?.expand != null
  if (isMapped && mapIndex < 0)
    throw new AppError(
      'invalid',
      `Task "${taskId}" is mapped: say which of its elements it is to run with. Add --map-index 0 for the first.`,
    )
  if (!isMapped && mapIndex >= 0)
    throw new AppError('invalid', `Task "${taskId}" is not mapped, so it has no element ${mapIndex}. Leave --map-index out.`)
  const times = timetable(document.schedule, document.timezone)
  const request = { logicalDate: logicalDate === null ? null : new Date(logicalDate), conf, ...(run && intervalOf(run)) }
  const made = manualRun(dag, times, request, systemClock.now(), 'user:test')
  const interval = { start: new Date(made.dataIntervalStart), end: new Date(made.dataIntervalEnd) }
  const facts = {
    attemptId: 'test',
    dagId: dag.dagId,
    runId: run?.runId ?? made.runId,
    taskId,
    mapIndex,
    tryNumber: 1,
    maxTries: 0,
    runType: made.runType,
    logicalDate: made.logicalDate,
    dataIntervalStart: made.dataIntervalStart,
    dataIntervalEnd: made.dataIntervalEnd,
    previousIntervalStart: times.previousOf(interval)?.interval.start.toISOString() ?? null,
    runAfter: made.runAfter,
    runQueuedAt: made.queuedAt,
    runStartedAt: made.queuedAt,
    conf,
    startedBy: 'user:test',
    file,
    task,
    dag: document,
    resume: null,
    firstStartedAt: null,
    rescheduleCount: 0,
    mapCount: mapIndex < 0 ? null : mapIndex + 1,
    isTest: true,
    isDryRun: rendersOnly,
  }
  return facts
}

const intervalOf = (run: NonNullable<TaskTest['run']>) => ({
  dataIntervalStart: new Date(run.dataIntervalStart),
  dataIntervalEnd: new Date(run.dataIntervalEnd),
})
