/** What the settings say of the DAGs folder, and of DAGs and tasks that do not say it themselves. */
import type { Defaults } from '@daggerboard/dag/defaults'
import type { DagFolderOptions } from '../adapters/process/dag-folder.ts'
import type { Settings } from '../settings.ts'

/** For every process that reads DAG files: loaders and workers. */
export const dagDefaults = (settings: Settings): Defaults => ({
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
