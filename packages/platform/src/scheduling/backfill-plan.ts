/** What a backfill makes of its dates: what may be asked, which run stands for which date, and how many may start. Pure. */
import type { DagDocument } from '@daggerboard/dag'
import { AppError } from '../core/app-error.ts'
import { readPattern } from '../core/pattern.ts'
import type { Backfill, BackfillDate, BackfillRequest } from './backfill.ts'
import { type ClearRequest, clearRunRequest } from './clear.ts'
import { type DagRun, isFinished, isoOffset } from './dag-run.ts'
import { TaskGraph } from './task-graph.ts'
import type { DataInterval, Timetable } from './timetable.ts'

export interface PlannedDate {
  readonly logicalDate: Date
  readonly interval: DataInterval
  /** Why this date gets no run; null for one that does. */
  readonly exceptionReason: BackfillDate['exceptionReason']
  /** The run that is cleared and run again; null when a new one is made. */
  readonly existing: DagRun | null
}

export interface BackfillFacts {
  readonly document: DagDocument
  readonly timetable: Timetable
  /** The DAG's backfills that are not complete. */
  readonly active: readonly Backfill[]
  /** The run of a logical date (ISO). */
  readonly existing: (logicalDate: string) => DagRun | null
  /** What is wrong with the run's conf, by the schemas of the DAG's params: none by default. */
  readonly confProblems?: readonly string[]
  readonly now: Date
}

/** No more dates than this in one backfill. */
export const MAX_BACKFILL_DATES = 50_000

/**
 * The dates of a backfill in the order in which they run: those of the schedule from `from` to `to`, both included, whose time has come.
 * Throws `conflict` when the DAG cannot be backfilled at all, `invalid` with everything that is wrong with the request.
 */
export function planBackfill(request: BackfillRequest, facts: BackfillFacts): PlannedDate[] {
  const { document, timetable, existing } = facts
  checkBackfill(request, facts)
  const to = request.to < facts.now ? request.to : facts.now
  const due = timetable.between(request.from, to, MAX_BACKFILL_DATES + 1)
  if (due.length > MAX_BACKFILL_DATES) {
    throw new AppError('invalid', `A backfill of DAG "${document.dagId}" has at most ${MAX_BACKFILL_DATES} dates. Choose a shorter time.`)
  }
  const complete = due.filter(({ runAfter }) => runAfter <= facts.now)
  if (request.isBackwards) complete.reverse()
  return complete.map(({ logicalDate, interval }) => {
    const run = existing(logicalDate.toISOString())
    const exceptionReason = run && reasonAgainst(run, request)
    return { logicalDate, interval, exceptionReason, existing: exceptionReason ? null : run }
  })
}

/** Why the date of an existing run is not run again. What is under way never is. */
export function reasonAgainst(run: DagRun, { reprocess }: Pick<BackfillRequest, 'reprocess'>): BackfillDate['exceptionReason'] {
  if (!isFinished(run.state)) return 'in flight'
  return reprocess === 'completed' || (reprocess === 'failed' && run.state === 'failed') ? null : 'already exists'
}

/** The dates to record with a new backfill; those that have no run yet are made one after another. Throws `invalid` when there is none. */
export function backfillDates(planned: readonly PlannedDate[]): Omit<BackfillDate, 'backfillId'>[] {
  if (planned.length === 0) {
    throw new AppError('invalid', 'A backfill needs a date: the schedule has none between from_date and to_date whose time has come.')
  }
  return planned.map(({ logicalDate, exceptionReason }, i) => ({
    ordinal: i + 1,
    logicalDate: logicalDate.toISOString(),
    runId: null,
    exceptionReason,
  }))
}

/** A new run of a backfill. */
export function backfillRun(
  backfill: Backfill,
  date: Pick<BackfillDate, 'ordinal' | 'logicalDate'>,
  interval: DataInterval,
  now: Date,
): DagRun {
  return {
    dagId: backfill.dagId,
    runId: `backfill__${isoOffset(new Date(date.logicalDate))}`,
    runType: 'backfill',
    state: 'queued',
    logicalDate: date.logicalDate,
    dataIntervalStart: interval.start.toISOString(),
    dataIntervalEnd: interval.end.toISOString(),
    runAfter: interval.end.toISOString(),
    queuedAt: now.toISOString(),
    startedAt: null,
    endedAt: null,
    conf: backfill.conf,
    note: null,
    createdBy: backfill.createdBy,
    triggeredBy: 'backfill',
    clearNumber: 0,
    backfill: { id: backfill.id, ordinal: date.ordinal },
    deadlines: [],
    decidedAt: null,
    revision: 0,
  }
}

/** How the run that is there for a date is cleared before it runs again: all of it, or only the tasks of the backfill. */
export const reprocessRequest = (document: DagDocument, { tasks }: Pick<Backfill, 'tasks'>, runId: string): ClearRequest => ({
  ...clearRunRequest(runId, { onlyFailed: false, dryRun: false }),
  taskIds: tasks && partialDocument(document, tasks).tasks.map(({ taskId }) => taskId),
})

/** An existing run, which has been cleared before, as a run of the backfill. */
export const takeOver = (run: DagRun, backfill: Backfill, ordinal: number): DagRun => ({
  ...run,
  runType: 'backfill',
  triggeredBy: 'backfill',
  conf: Object.keys(backfill.conf).length > 0 ? backfill.conf : run.conf,
  backfill: { id: backfill.id, ordinal },
})

/**
 * How many more runs of a backfill may be made and started now. `activeRuns` are its own that are queued or running; `waitingTasks` are
 * tasks of other runs that are ready and wait for a slot. As long as there are such, a backfill keeps to one run, so that the schedule
 * keeps its pace and the backfill does not starve.
 */
export function backfillRunsToStart(
  { isPaused, completedAt, maxActiveRuns }: Pick<Backfill, 'isPaused' | 'completedAt' | 'maxActiveRuns'>,
  { activeRuns, remaining, waitingTasks }: { readonly activeRuns: number; readonly remaining: number; readonly waitingTasks: number },
): number {
  if (isPaused || completedAt !== null) return 0
  const limit = waitingTasks > 0 ? Math.min(1, maxActiveRuns) : maxActiveRuns
  return Math.max(0, Math.min(limit - activeRuns, remaining))
}

/**
 * The document of a run of only some tasks: those that `patterns` name (ids, ids of groups, or regular expressions that match from the
 * start of an id, as in Airflow 2), with the setups and teardowns around them and the tasks that say how often they are mapped. The others
 * are not part of such a run: they have no instance in it, nothing waits for them, and its outcome does not depend on them. A pattern that
 * matches nothing adds nothing: the file may have changed since the backfill was made.
 */
export function partialDocument(document: DagDocument, patterns: readonly string[]): DagDocument {
  const { kept } = resolveTasks(document, patterns)
  const among = (ids: readonly string[]) => ids.filter((id) => kept.has(id))
  const tasks = document.tasks
    .filter(({ taskId }) => kept.has(taskId))
    .map((task) => ({ ...task, upstream: among(task.upstream), downstream: among(task.downstream), setups: among(task.setups) }))
  return { ...document, tasks }
}

function resolveTasks(document: DagDocument, patterns: readonly string[]): { kept: Set<string>; problems: string[] } {
  const graph = new TaskGraph(document)
  const kept = new Set<string>()
  const problems: string[] = []
  const keep = (taskId: string) => {
    if (kept.has(taskId)) return
    kept.add(taskId)
    for (const one of [...graph.surroundings(taskId), ...graph.mappedOver(taskId)]) keep(one)
  }
  for (const pattern of patterns) {
    const found = tasksLike(graph, pattern)
    if (typeof found === 'string') problems.push(found)
    else found.forEach(keep)
  }
  if (patterns.length === 0) problems.push('No task is named: leave the list out for all of them.')
  return { kept, problems }
}

const MAX_PATTERN_LENGTH = 250

function tasksLike(graph: TaskGraph, pattern: string): string[] | string {
  if (graph.task(pattern)) return [pattern]
  const ofGroup = graph.tasksOfGroup(pattern)
  if (ofGroup.length > 0) return ofGroup
  if (pattern.length > MAX_PATTERN_LENGTH) return `"${pattern.slice(0, 40)}…" is longer than ${MAX_PATTERN_LENGTH} characters.`
  try {
    const expression = readPattern(`^(?:${pattern})`)
    const found = graph.ids.filter((id) => expression.test(id))
    return found.length > 0 ? found : `No task is called or matches "${pattern}".`
  } catch {
    return `"${pattern}" is neither a task nor a regular expression.`
  }
}

function checkBackfill(request: BackfillRequest, { document, timetable, active, confProblems = [], now }: BackfillFacts): void {
  const { dagId } = document
  const [running] = active.filter((backfill) => backfill.dagId === dagId && backfill.completedAt === null)
  if (running) {
    throw new AppError('conflict', `DAG "${dagId}" has a backfill already: number ${running.id}. Wait for it, or cancel it.`)
  }
  if (!timetable.isPeriodic) {
    throw new AppError(
      'conflict',
      `DAG "${dagId}" cannot be backfilled: its schedule (${timetable.summary}) has no regular dates. Trigger it instead.`,
    )
  }
  const problems: string[] = []
  if (request.from > request.to) problems.push(`from_date ${request.from.toISOString()} is after to_date ${request.to.toISOString()}.`)
  else if (request.from >= now) problems.push('from_date and to_date are in the future: there is nothing to make up for.')
  if (!(Number.isInteger(request.maxActiveRuns) && request.maxActiveRuns > 0))
    problems.push('max_active_runs must be a whole number from 1 up.')
  const past = document.tasks.filter((task) => task.dependsOnPast || task.waitForDownstream).map(({ taskId }) => taskId)
  if (past.length > 0 && request.isBackwards) problems.push(`run_backwards does not go with depends_on_past, which ${named(past)}.`)
  if (past.length > 0 && request.reprocess === 'none') {
    problems.push(`reprocess_behavior none does not go with depends_on_past, which ${named(past)}. Choose failed or completed.`)
  }
  if (request.tasks) problems.push(...resolveTasks(document, request.tasks).problems)
  problems.push(...confProblems)
  if (problems.length > 0) throw new AppError('invalid', `DAG "${dagId}" cannot be backfilled like this.`, { problems })
}

const named = (taskIds: readonly string[]): string =>
  taskIds.length === 1 ? `task "${taskIds[0]}" has` : `tasks ${taskIds.map((id) => `"${id}"`).join(', ')} have`
