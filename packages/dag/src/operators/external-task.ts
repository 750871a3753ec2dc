/** Waits for a run of another DAG, for some of its tasks, or for one of its groups. */
import { DagDefinitionError, Place } from '../definition-error.ts'
import { type Duration, notADuration, signedSeconds } from '../duration.ts'
import type { Operator } from '../operator.ts'
import { FailTask, SkipTask } from '../outcome.ts'
import { type Look, type SensorOptions, sensorDocument, sensorOperator } from '../sensor.ts'
import type { TaskContext } from '../task-context.ts'

export interface ExternalTaskOptions extends SensorOptions {
  readonly dagId: string
  /** Tasks to wait for, or one group; left out, the run as a whole. */
  readonly taskIds?: string | readonly string[]
  readonly taskGroup?: string
  /** How long before this run's logical date that of the other run lies; `'-1h'` for one after it. Default: the same. */
  readonly logicalDateDelta?: Duration
  /** Says the logical date of the other run, or those of several. */
  readonly logicalDateOf?: (logicalDate: Date, context: TaskContext) => Date | readonly Date[]
  /** States that are waited for. Default `success`. */
  readonly allowedStates?: readonly string[]
  /** Any of these fails the sensor at once. Default none: what has failed may be cleared and succeed yet. */
  readonly failedStates?: readonly string[]
  /** Any of these skips it. Default none. */
  readonly skippedStates?: readonly string[]
  /** Fails when there is no such DAG, or it has no such task or group, where it would wait for its whole time. Default false. */
  readonly checkExistence?: boolean
}

interface ExternalTaskArgs {
  readonly dagId: string
  readonly taskIds: readonly string[] | null
  readonly taskGroup: string | null
  readonly allowedStates: readonly string[]
  readonly failedStates: readonly string[]
  readonly skippedStates: readonly string[]
  readonly checkExistence: boolean
}

/** The sensor; by default it looks from a process in which many wait. Its run is found by its logical date. */
export function externalTask(options: ExternalTaskOptions): Operator<ExternalTaskArgs, null> {
  const {
    dagId,
    taskGroup = null,
    logicalDateDelta: delta,
    logicalDateOf,
    allowedStates = ['success'],
    failedStates = [],
    skippedStates = [],
    checkExistence = false,
  } = options
  const taskIds = options.taskIds === undefined ? null : ([options.taskIds].flat() as string[])
  const seconds = delta === undefined ? 0 : signedSeconds(delta)
  const states = [...allowedStates, ...failedStates, ...skippedStates]
  const twice = states.find((state, i) => states.indexOf(state) !== i)
  const problems = [
    ...(seconds === null ? [`logicalDateDelta ${notADuration(delta)}`] : []),
    ...(taskIds && taskGroup !== null ? ['It has taskIds and a taskGroup. Leave one of them out.'] : []),
    ...(taskIds?.length === 0 ? ['Its taskIds are empty. Name one, or leave them out to wait for the whole run.'] : []),
    ...(delta !== undefined && logicalDateOf ? ['It has logicalDateDelta and logicalDateOf. Leave one of them out.'] : []),
    ...(twice === undefined ? [] : [`The state "${twice}" is named twice among its allowed, failed and skipped states.`]),
  ]
  if (problems.length > 0) throw new DagDefinitionError(`externalTask of DAG "${dagId}" cannot be${new Place()}.`, problems)
  const datesOf = (context: TaskContext): readonly Date[] => {
    const own = context.logicalDate ?? context.dataIntervalStart
    return logicalDateOf ? ([logicalDateOf(own, context)].flat() as Date[]) : [new Date(own.getTime() - (seconds ?? 0) * 1000)]
  }
  return sensorOperator(
    'ExternalTask',
    { dagId, taskIds, taskGroup, allowedStates, failedStates, skippedStates, checkExistence },
    sensorDocument(options, 'deferred'),
    async (args, context): Promise<Look<null>> => {
      let isDone = true
      for (const date of datesOf(context)) isDone = (await hasEnded(args, date.toISOString(), context)) && isDone
      if (!isDone && args.checkExistence) await requireParts(args, context)
      return isDone
    },
  )
}

/** Throws when nothing that it waits for could ever be. */
async function requireParts({ dagId, taskIds, taskGroup }: ExternalTaskArgs, { dagRuns }: TaskContext): Promise<void> {
  const parts = await dagRuns.partsOf(dagId)
  if (!parts) throw new Error(`There is no DAG "${dagId}" to wait for.`)
  const missing = (taskIds ?? []).filter((id) => !parts.taskIds.includes(id)).map((id) => `"${id}"`)
  if (missing.length > 0) throw new Error(`DAG "${dagId}" has no task ${missing.join(', ')} to wait for.`)
  if (taskGroup !== null && !parts.groupIds.includes(taskGroup)) throw new Error(`DAG "${dagId}" has no group "${taskGroup}" to wait for.`)
}

async function hasEnded(args: ExternalTaskArgs, logicalDate: string, context: TaskContext): Promise<boolean> {
  const { dagId, taskIds, taskGroup } = args
  const query = { dagId, logicalDate }
  if (!taskIds && taskGroup === null) {
    const run = await context.dagRuns.find(query)
    return run !== null && isAllowed(args, `The run of DAG "${dagId}" for ${logicalDate}`, run.state)
  }
  const found = await context.dagRuns.taskStates({
    ...query,
    ...(taskIds && { taskIds }),
    ...(taskGroup !== null && { groupId: taskGroup }),
  })
  const areAllowed = found.map(({ taskId, state }) => isAllowed(args, `Task "${taskId}" of DAG "${dagId}" for ${logicalDate}`, state))
  const isComplete = taskIds ? taskIds.every((id) => found.some(({ taskId }) => taskId === id)) : found.length > 0
  return isComplete && areAllowed.every(Boolean)
}

function isAllowed({ allowedStates, failedStates, skippedStates }: ExternalTaskArgs, which: string, state: string): boolean {
  if (failedStates.includes(state)) throw new FailTask(`${which} is ${state}.`)
  if (skippedStates.includes(state)) throw new SkipTask(`${which} is ${state}.`)
  return allowedStates.includes(state)
}
