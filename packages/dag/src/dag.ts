/** How a DAG is written: `dag(id, options, build)`. */
import { DagDefinitionError, didYouMean, Place } from './definition-error.ts'
import type { DagDocument, TaskDocument } from './document.ts'
import { durationSeconds } from './duration.ts'
import { toInstant } from './instant.ts'
import type { Operator } from './operator.ts'
import { type Schedule, scheduleDocument } from './schedule.ts'
import { type Inputs, type InputValues, Task, type TaskDefaults, type TaskFunction, type TaskOptions, type Work } from './task.ts'
import { TRIGGER_RULES } from './trigger-rule.ts'

export interface DagOptions {
  /** Cron expression or preset (`@daily` …), or null for runs by hand only. Default null. Gives data intervals as in Airflow 2. */
  readonly schedule?: Schedule
  /** The first interval begins at or after this. An ISO date or instant; without an offset it is read in `timezone`. */
  readonly startDate?: Date | string
  /** No interval begins after this. */
  readonly endDate?: Date | string
  /** Whether every interval since `startDate` gets its run, or only the last complete one. Default false. */
  readonly catchup?: boolean
  /** IANA name such as `Europe/Paris`, in which cron and dates without an offset are read. Default `UTC`. */
  readonly timezone?: string
  /** How many runs may run at the same time; the others wait as `queued`. Default 16. */
  readonly maxActiveRuns?: number
  /** How many tasks of this DAG may run at the same time. Default 16. */
  readonly maxActiveTasks?: number
  readonly defaultArgs?: TaskDefaults
  readonly tags?: readonly string[]
  readonly description?: string
  /** Default values of `{{ params.x }}`, which a run's `conf` overrides. */
  readonly params?: Readonly<Record<string, unknown>>
}

/** What the builder of a DAG is given. */
export interface DagBuilder {
  task: {
    /** Adds a task that runs `operator`; every string in its args is a template. */
    <Args, Output>(id: string, operator: Operator<Args, Output>, options?: Omit<TaskOptions, 'input'>): Task<Output>
    /** Adds a task that runs a plain function; `options.input` names the tasks whose outputs it gets, and tsc checks that they fit. */
    <Output, In extends Inputs = Readonly<Record<string, never>>>(
      id: string,
      run: TaskFunction<InputValues<In>, Output>,
      options?: TaskOptions<In>,
    ): Task<Awaited<Output>>
  }
}

const BRAND = Symbol.for('daggerboard.dag')

/** A DAG that has been written. Export it from its file: that is how it is found. */
export interface Dag {
  readonly [BRAND]: true
  readonly id: string
  readonly document: DagDocument
  readonly tasks: ReadonlyMap<string, Task>
}

/** Whether an export of a file is a DAG, also when the file was given another copy of this package. */
export const isDag = (value: unknown): value is Dag => typeof value === 'object' && value !== null && BRAND in value

/**
 * Writes a DAG. `build` is called at once with the means to add tasks; nothing runs and no template is rendered here.
 * Throws `DagDefinitionError` with all that is wrong: ids, dates, durations, unknown or foreign tasks, circles.
 *
 * @example
 * export default dag('daily_report', { schedule: '0 5 * * 1', startDate: '2019-10-07' }, ({ task }) => {
 *   const rows = task('extract', async ({ log }) => [1, 2, 3])
 *   const total = task('total', async ({ input }) => input.rows.length, { input: { rows } })
 *   task('clean_up', async () => {}, { triggerRule: 'all_done' }).after(total)
 * })
 */
export function dag(id: string, options: DagOptions, build: (builder: DagBuilder) => void): Dag {
  const place = new Place()
  const tasks = new Map<string, Task>()
  const own = new Set<Task>()
  const problems: string[] = []
  const task = (taskId: string, work: Work, taskOptions: TaskOptions = {}): Task => {
    const added = new Task(taskId, work, taskOptions)
    own.add(added)
    const first = tasks.get(taskId)
    if (first) problems.push(`Task "${taskId}" is defined twice${first.place} and again${added.place}. Give one of them another id.`)
    else tasks.set(taskId, added)
    return added
  }
  build({ task: task as DagBuilder['task'] })

  problems.push(...idProblems('DAG', id), ...edgeProblems(id, tasks, own))
  const document = toDocument(id, options, tasks, problems)
  if (problems.length > 0) throw new DagDefinitionError(`DAG "${id}" cannot be read${place}.`, problems)
  return { [BRAND]: true, id, document, tasks }
}

const idProblems = (noun: string, id: string): string[] =>
  /^[\w.-]{1,250}$/.test(id)
    ? []
    : [`The ${noun} id "${id}" may only have letters, digits, "-", "_" and ".", at most 250 of them. Choose another.`]

/** `own` also has the tasks whose id was taken already. */
function edgeProblems(dagId: string, tasks: ReadonlyMap<string, Task>, own: ReadonlySet<Task>): string[] {
  const problems: string[] = []
  for (const task of tasks.values()) {
    problems.push(...idProblems('task', task.id))
    for (const other of task.neighbours) {
      if (!own.has(other)) {
        problems.push(
          `Task "${task.id}"${task.place} is joined to task "${other.id}"${other.place}, which is not of this DAG. Join tasks of the same DAG only.`,
        )
      }
    }
    for (const before of task.upstream) {
      if (!tasks.has(before) && ![...task.neighbours].some((n) => n.id === before)) {
        problems.push(
          `Task "${task.id}" of DAG "${dagId}" depends on "${before}", which is not defined${task.place}.${didYouMean(before, tasks.keys())}`,
        )
      }
    }
  }
  const circle = findCircle(tasks)
  if (circle) problems.push(`The tasks go in a circle: ${circle.join(' → ')}. Remove one of these dependencies.`)
  return problems
}

/** The first circle, its first task named again at the end; null when there is none. Does not recurse: chains may be long. */
function findCircle(tasks: ReadonlyMap<string, Task>): string[] | null {
  const finished = new Set<string>()
  for (const start of tasks.keys()) {
    const path: string[] = []
    const pending: { id: string; leave: boolean }[] = [{ id: start, leave: false }]
    for (let step = pending.pop(); step; step = pending.pop()) {
      if (step.leave) {
        path.pop()
        finished.add(step.id)
        continue
      }
      if (finished.has(step.id)) continue
      if (path.includes(step.id)) return [step.id, ...path.slice(path.indexOf(step.id) + 1).reverse(), step.id]
      path.push(step.id)
      pending.push({ id: step.id, leave: true })
      for (const before of tasks.get(step.id)?.upstream ?? []) if (tasks.has(before)) pending.push({ id: before, leave: false })
    }
  }
  return null
}

function toDocument(dagId: string, options: DagOptions, tasks: ReadonlyMap<string, Task>, problems: string[]): DagDocument {
  const { timezone = 'UTC', maxActiveRuns = 16, maxActiveTasks = 16, defaultArgs = {} } = options
  const instant = (name: string, value: Date | string | undefined): string | null => {
    if (value === undefined) return null
    const found = toInstant(value, timezone)
    if (!found) problems.push(`${name} "${value}" is not a date. Write one such as "2019-10-07" or "2019-10-07T05:00:00Z".`)
    return found?.toISOString() ?? null
  }
  const atLeastOne = (name: string, value: number): number => {
    if (!Number.isInteger(value) || value < 1) problems.push(`${name} is ${value}; it must be a whole number of at least 1.`)
    return value
  }
  if (!isTimezone(timezone)) problems.push(`The time zone "${timezone}" is unknown. Write an IANA name such as "Europe/Paris".`)
  const schedule = scheduleDocument(options.schedule ?? null)
  if (typeof schedule === 'string') problems.push(schedule)
  const taskDocuments = [...tasks.values()].map((task) => taskDocument(task, tasks, defaultArgs, problems))
  const startDate = isTimezone(timezone) ? instant('startDate', options.startDate) : null
  const endDate = isTimezone(timezone) ? instant('endDate', options.endDate) : null
  return {
    dagId,
    description: options.description ?? null,
    docMd: null,
    schedule: typeof schedule === 'string' ? { kind: 'none' } : schedule,
    timezone,
    startDate,
    endDate,
    catchup: options.catchup ?? false,
    maxActiveRuns: atLeastOne('maxActiveRuns', maxActiveRuns),
    maxActiveTasks: atLeastOne('maxActiveTasks', maxActiveTasks),
    maxConsecutiveFailedRuns: 0,
    runTimeoutSeconds: null,
    failFast: false,
    tasksPerWorker: 1,
    isPausedUponCreation: null,
    tags: [...(options.tags ?? [])],
    owners: [...new Set(taskDocuments.map((task) => task.owner))],
    params: plain(options.params ?? {}, `The params of DAG "${dagId}"`, problems) as Record<string, unknown>,
    paramSchemas: {},
    deadlines: [],
    callbacks: { onSuccess: false, onFailure: false },
    groups: [],
    templateSearchPath: [],
    rendersNative: false,
    tasks: taskDocuments,
  }
}

function taskDocument(task: Task, tasks: ReadonlyMap<string, Task>, defaults: TaskDefaults, problems: string[]): TaskDocument {
  const options = { ...defaults, ...task.options }
  const about = `Task "${task.id}"${task.place}`
  const seconds = (name: 'retryDelay' | 'maxRetryDelay' | 'executionTimeout'): number | null => {
    const value = options[name]
    if (value === undefined) return null
    const found = durationSeconds(value)
    if (found === null) {
      problems.push(
        `${about}: ${name} ${JSON.stringify(value)} is not a length of time. Write one such as "90s", "10m" or { minutes: 10 }.`,
      )
    }
    return found
  }
  const { retries = 0, retryExponentialBackoff: backoff = false, triggerRule = 'all_success' } = options
  if (!Number.isInteger(retries) || retries < 0) problems.push(`${about}: retries is ${retries}; it must be a whole number, 0 or more.`)
  if (!TRIGGER_RULES.includes(triggerRule)) {
    problems.push(
      `${about}: the trigger rule "${triggerRule}" is unknown.${didYouMean(triggerRule, TRIGGER_RULES) || ` They are ${TRIGGER_RULES.join(', ')}.`}`,
    )
  }
  const input = Object.entries(task.options.input ?? {}).map(([name, value]) => [
    name,
    value instanceof Task ? { task: value.id } : { value: plain(value, `${about}: its input "${name}"`, problems) },
  ])
  const isFunction = typeof task.work === 'function'
  if (!isFunction && typeof (task.work as Operator | undefined)?.run !== 'function') {
    problems.push(`${about} has neither a function nor an operator to run. Give it one as its second argument.`)
  }
  return {
    taskId: task.id,
    groupId: null,
    docMd: null,
    operator: isFunction ? 'function' : String((task.work as Operator | undefined)?.name),
    owner: options.owner ?? 'airflow',
    args: isFunction ? {} : plain((task.work as Operator | undefined)?.args ?? {}, `${about}: its args`, problems),
    upstream: [...task.upstream],
    downstream: [...tasks.values()].filter((other) => other.upstream.has(task.id)).map((other) => other.id),
    input: Object.fromEntries(input),
    triggerRule,
    retries,
    retryDelaySeconds: seconds('retryDelay') ?? 300,
    retryBackoff: backoff === true ? 2 : backoff === false ? 0 : backoff,
    maxRetryDelaySeconds: seconds('maxRetryDelay'),
    executionTimeoutSeconds: seconds('executionTimeout'),
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
    failsRun: true,
    expand: null,
    mapIndexTemplate: null,
    flow: 'none',
    sensor: null,
    callbacks: { onSuccess: false, onFailure: false, onRetry: false, onExecute: false, onSkipped: false },
    inlets: [],
    outlets: [],
  }
}

/** `value` as JSON keeps it, which is how the scheduler and the worker see it. */
function plain(value: unknown, about: string, problems: string[]): unknown {
  try {
    return JSON.parse(JSON.stringify(value) ?? 'null')
  } catch (error) {
    problems.push(`${about} cannot be written as JSON: ${(error as Error).message}. Use plain data.`)
    return null
  }
}

function isTimezone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}
