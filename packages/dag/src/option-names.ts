/** The names of all options. `tsc` knows them, but nobody has to ask it: a misspelt option must not be as good as none. */
import type { DagOptions } from './dag-options.ts'
import { didYouMean } from './definition-error.ts'
import type { GroupOptions } from './group.ts'
import type { SensorOptions } from './sensor.ts'
import type { TaskDefaults, TaskOptions } from './task-options.ts'

type Names<Options> = Readonly<Record<keyof Options, true>>

export const DAG_OPTIONS: Names<DagOptions> = {
  schedule: true,
  startDate: true,
  endDate: true,
  catchup: true,
  timezone: true,
  maxActiveRuns: true,
  maxActiveTasks: true,
  maxConsecutiveFailedRuns: true,
  runTimeout: true,
  failFast: true,
  tasksPerWorker: true,
  isPausedUponCreation: true,
  defaultArgs: true,
  tags: true,
  description: true,
  docMd: true,
  params: true,
  deadlines: true,
  onSuccess: true,
  onFailure: true,
  templateSearchPath: true,
  rendersNative: true,
}

const DEFAULTS: Names<TaskDefaults> = {
  owner: true,
  retries: true,
  retryDelay: true,
  retryExponentialBackoff: true,
  maxRetryDelay: true,
  retryPolicy: true,
  executionTimeout: true,
  triggerRule: true,
  dependsOnPast: true,
  waitForDownstream: true,
  ignoreFirstDependsOnPast: true,
  waitForPastDependsBeforeSkipping: true,
  pool: true,
  poolSlots: true,
  priorityWeight: true,
  weightRule: true,
  maxActivePerDag: true,
  maxActivePerRun: true,
  onSuccess: true,
  onFailure: true,
  onRetry: true,
  onExecute: true,
  onSkipped: true,
}

export const TASK_OPTIONS: Names<TaskOptions> = {
  ...DEFAULTS,
  dependsOn: true,
  input: true,
  expand: true,
  mapIndexTemplate: true,
  docMd: true,
  inlets: true,
  outlets: true,
  template: true,
}

export const SENSOR_OPTIONS: Names<TaskOptions & SensorOptions> = {
  ...TASK_OPTIONS,
  mode: true,
  pokeInterval: true,
  timeout: true,
  softFail: true,
  exponentialBackoff: true,
  maxWait: true,
}

export const GROUP_OPTIONS: Names<GroupOptions & Pick<TaskOptions, 'expand'>> = {
  prefixGroupId: true,
  defaultArgs: true,
  tooltip: true,
  dependsOn: true,
  expand: true,
}

/** A sentence for each of `given` that is none of `known`. */
export function unknownOptions(given: object, known: object): string[] {
  return Object.keys(given)
    .filter((name) => !Object.hasOwn(known, name))
    .map((name) => `"${name}" is not an option.${didYouMean(name, Object.keys(known))}`)
}
