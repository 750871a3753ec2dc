/** One try as a worker is told of it. Pure. */
import type { KnownDag } from './board.ts'
import type { BoardRun } from './board-run.ts'
import type { PlannedTask } from './dag-plan.ts'
import type { TaskInstance } from './task-instance.ts'
import type { Attempt } from './task-runner.ts'

export function toAttempt(dag: KnownDag, of: BoardRun, planned: PlannedTask, instance: TaskInstance): Attempt {
  const { run } = of
  const { record } = dag
  return {
    attemptId: instance.attemptId ?? '',
    dagId: run.dagId,
    runId: run.runId,
    taskId: instance.taskId,
    mapIndex: instance.mapIndex,
    tryNumber: instance.tryNumber,
    maxTries: instance.maxTries,
    runType: run.runType,
    logicalDate: run.logicalDate,
    dataIntervalStart: run.dataIntervalStart,
    dataIntervalEnd: run.dataIntervalEnd,
    previousIntervalStart: previousStart(dag, of),
    runAfter: run.runAfter,
    runQueuedAt: run.queuedAt,
    runStartedAt: run.startedAt,
    conf: run.conf,
    startedBy: run.createdBy,
    file: record.file,
    // Also where a backfill runs only some tasks, a branch may choose any of those after it.
    task: (run.backfill && dag.plan.tasks.get(planned.taskId)?.document) || planned.document,
    dag: record.document,
    resume: instance.deferral?.event ?? null,
    firstStartedAt: instance.firstStartedAt,
    rescheduleCount: instance.rescheduleCount,
    mapCount: instance.mapIndex < 0 ? null : countOf(of, instance.taskId),
  }
}

function countOf(of: BoardRun, taskId: string): number | null {
  const task = of.tasks.get(taskId)
  return task ? task.instances.size - task.counts.removed : null
}

/** Asked for every try, and the same for all of a run: kept. */
function previousStart({ timetable }: KnownDag, of: BoardRun): string | null {
  if (of.previousIntervalStart !== undefined) return of.previousIntervalStart
  const { dataIntervalStart, dataIntervalEnd } = of.run
  const before = timetable.previousOf({ start: new Date(dataIntervalStart), end: new Date(dataIntervalEnd) })
  of.previousIntervalStart = before?.interval.start.toISOString() ?? null
  return of.previousIntervalStart
}
