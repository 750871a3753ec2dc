/** What people do with tasks of runs: clear them, mark them, write a note to them, answer their questions. */
import { AppError } from '../../core/app-error.ts'
import { type Cleared, type ClearRequest, clear as planClear, runsToClear } from '../clear.ts'
import type { DagRun } from '../dag-run.ts'
import { restart } from '../hear.ts'
import { type Answer, acceptAnswer } from '../input-answer.ts'
import { type MarkRequest, markTasks, runsToMark } from '../mark.ts'
import type { TaskInstance } from '../task-instance.ts'
import type { RunRange } from '../task-selection.ts'
import { type Command, requireRun, takeUp, withInstances } from './command.ts'

/** Answers what is cleared: as it was for a dry run, else as it is from now on. */
export async function clear(command: Command, dagId: string, request: ClearRequest): Promise<TaskInstance[]> {
  const { turn, dags } = command
  const { document } = (await dags.find(dagId)).record
  const run = request.runId === null ? null : await requireRun(command, dagId, request.runId)
  const runs = await runsOf(command, dagId, runsToClear(request, run), run)
  const cleared = planClear(document, request, await Promise.all(runs.map((one) => withInstances(command, one))), turn.now)
  if (request.dryRun) return [...cleared.selected]
  await applyCleared(command, cleared)
  return [...cleared.instances]
}

export async function applyCleared(command: Command, { instances, runs, tries }: Cleared): Promise<void> {
  const { turn } = command
  turn.keepTries(tries)
  for (const instance of instances) {
    const of = await takeUp(command, await requireRun(command, instance.dagId, instance.runId))
    const before = of.find(instance.taskId, instance.mapIndex)
    if (before) turn.cancel(before)
    turn.put(of, instance)
    // Nothing in a worker has to end first.
    if (instance.state === 'restarting' && instance.attemptId === null) restart(turn, of, instance)
  }
  for (const run of runs) turn.putRun(run)
}

/** Answers what changes its state, as it is then. */
export async function setTaskState(
  command: Command,
  { dagId, runId, by, dryRun, ...request }: MarkRequest & { dagId: string; runId: string; by: string; dryRun: boolean },
): Promise<TaskInstance[]> {
  const { turn, dags } = command
  const { document } = (await dags.find(dagId)).record
  const run = await requireRun(command, dagId, runId)
  const runs = await runsOf(command, dagId, runsToMark(request, run), run)
  const marked = markTasks(document, request, await Promise.all(runs.map((one) => withInstances(command, one))), turn.now)
  if (dryRun) return [...marked.instances]
  const changed: TaskInstance[] = []
  for (const instance of marked.instances) {
    const of = await takeUp(command, await requireRun(command, instance.dagId, instance.runId))
    const before = of.find(instance.taskId, instance.mapIndex)
    if (before) turn.cancel(before)
    const put = { ...instance, detail: `Marked ${request.state} by ${by}.` }
    turn.put(of, put)
    changed.push(put)
  }
  await applyCleared(command, marked.cleared)
  return changed
}

export async function setTaskNote(
  command: Command,
  { dagId, runId, taskId, mapIndex, note }: { dagId: string; runId: string; taskId: string; mapIndex: number; note: string | null },
): Promise<TaskInstance> {
  const of = await takeUp(command, await requireRun(command, dagId, runId))
  const instance = requireInstance(of.find(taskId, mapIndex), { dagId, runId, taskId, mapIndex })
  const noted = { ...instance, note, revision: instance.revision + 1 }
  command.turn.put(of, noted)
  if (noted.state === 'deferred') command.turn.waits.push(noted)
  return noted
}

/** The task goes on with the answer. Throws `not_found`, `conflict` when nobody is asked, `forbidden`, `invalid`. */
export async function answerInput(
  command: Command,
  {
    dagId,
    runId,
    taskId,
    mapIndex,
    by,
    ...answer
  }: Answer & { dagId: string; runId: string; taskId: string; mapIndex: number; by: string },
): Promise<TaskInstance> {
  const { turn } = command
  const of = await takeUp(command, await requireRun(command, dagId, runId))
  const instance = requireInstance(of.find(taskId, mapIndex), { dagId, runId, taskId, mapIndex })
  const { deferral } = instance
  if (instance.state !== 'deferred' || deferral?.wait.kind !== 'input') {
    throw new AppError(
      'conflict',
      `Task "${taskId}" in run "${runId}" of DAG "${dagId}" does not wait for an answer: it is ${instance.state}.`,
    )
  }
  const { request } = deferral.wait
  const said = acceptAnswer(request, answer, { taskId, by, now: turn.now })
  const wait = { kind: 'input' as const, request: { ...request, ...said } }
  return turn.move(of, instance, 'scheduled', { deferral: { ...deferral, wait, event: { value: said } } })
}

async function runsOf({ stores }: Command, dagId: string, range: RunRange, run: DagRun | null): Promise<DagRun[]> {
  if (range === 'all') return stores.runs.listOfDag(dagId)
  if ('runId' in range) return run ? [run] : []
  return stores.runs.listBetween(dagId, range.from, range.to)
}

function requireInstance(
  instance: TaskInstance | undefined,
  { dagId, runId, taskId, mapIndex }: { dagId: string; runId: string; taskId: string; mapIndex: number },
): TaskInstance {
  if (instance) return instance
  const which = mapIndex < 0 ? '' : ` [${mapIndex}]`
  throw new AppError('not_found', `There is no task "${taskId}"${which} in run "${runId}" of DAG "${dagId}".`)
}
