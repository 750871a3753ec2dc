/** What the settings say of the DAGs folder, of the workers and the scheduler, and of DAGs and tasks that do not say it themselves. */
import type { Defaults } from '@daggerboard/dag/defaults'
import type { DagFolderOptions } from '../adapters/process/dag-folder.ts'
import { compiledIn, defaultsIn } from '../adapters/process/node-child.ts'
import type { WorkerPoolOptions } from '../adapters/process/worker-pool.ts'
import { readPattern } from '../core/pattern.ts'
import type { SchedulerLimits } from '../scheduling/scheduler.ts'
import type { Settings } from '../settings.ts'

const dagDefaults = (settings: Settings): Defaults => ({
  timezone: settings.defaultTimezone,
  catchup: settings.catchupByDefault,
  maxActiveRuns: settings.maxActiveRunsPerDag,
  maxActiveTasks: settings.maxActiveTasksPerDag,
  maxConsecutiveFailedRuns: settings.maxConsecutiveFailedRunsPerDag,
  retries: settings.defaultTaskRetries,
  retryDelaySeconds: settings.defaultTaskRetryDelaySeconds,
  maxRetryDelaySeconds: settings.maxTaskRetryDelaySeconds,
  executionTimeoutSeconds: settings.defaultTaskExecutionTimeoutSeconds,
  ignoreFirstDependsOnPast: settings.ignoreFirstDependsOnPastByDefault,
  sensorTimeoutSeconds: settings.sensorTimeoutSeconds,
  cronIntervals: settings.createCronDataIntervals,
})

export const dagFolderOptions = (settings: Settings): Partial<DagFolderOptions> => ({
  dagsArePausedAtCreation: settings.dagsArePausedAtCreation,
  defaults: dagDefaults(settings),
  fileTimeoutMs: 1000 * Math.min(settings.dagbagImportTimeoutSeconds, settings.dagFileProcessorTimeoutSeconds),
  rescanMs: 1000 * settings.dagRefreshSeconds,
  rereadMs: 1000 * settings.minFileProcessSeconds,
  processes: settings.parsingProcesses,
  ignoreSyntax: settings.dagIgnoreFileSyntax,
})

export const workerPoolOptions = (settings: Settings, compileCache: string): Partial<WorkerPoolOptions> => ({
  workers: settings.workerConcurrency || settings.parallelism,
  graceMs: 1000 * settings.killedTaskCleanupSeconds,
  waitsPerProcess: settings.triggererCapacity,
  ...(settings.workerMemoryMegabytes === 0 ? {} : { memoryMb: settings.workerMemoryMegabytes }),
  environment: { ...compiledIn(compileCache), ...defaultsIn(dagDefaults(settings)) },
})

export const schedulerLimits = (settings: Settings): SchedulerLimits => ({
  parallelism: settings.parallelism,
  maxMapLength: settings.maxMapLength,
  runIdPattern: readPattern(settings.allowedRunIdPattern),
})
