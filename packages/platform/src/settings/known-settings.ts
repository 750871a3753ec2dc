/** Every setting: where it stands in `daggerboard.toml`, its default and what it means. Names are Airflow's where they mean the same. */
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Kind, oneOf, path, pattern, seconds, secondsOrNone, text, timeZone, wholeNumber, words, yesOrNo } from './kind.ts'

/** The folder of the clone: the examples, the web interface and the libraries are found from here. */
export const ROOT = resolve(fileURLToPath(import.meta.url), '../../../../..')

export interface Setting<Value = unknown> {
  readonly section: string
  readonly key: string
  /** A short environment variable beside `DAGGERBOARD__SECTION__KEY`. */
  readonly variable?: `DAGGERBOARD_${string}`
  /** Other places of the same setting: what Airflow 2 called it. `section.key`. */
  readonly alias?: readonly `${string}.${string}`[]
  readonly kind: Kind<Value>
  /** As it would be written in the environment. */
  readonly default: string
  readonly meaning: string
  /** Never repeated in a message or a listing. */
  readonly isSecret?: boolean
}

const setting = <Value>(
  place: `${string}.${string}`,
  kind: Kind<Value>,
  fallback: string,
  meaning: string,
  more: Pick<Setting, 'variable' | 'alias' | 'isSecret'> = {},
): Setting<Value> => {
  const at = place.indexOf('.')
  return { section: place.slice(0, at), key: place.slice(at + 1), kind, default: fallback, meaning, ...more }
}

const DAY = 86_400
const YEAR = 366 * DAY

/** In the order of the reference. The name of each is its property of `Settings`. */
export const SETTINGS = {
  home: setting(
    'platform.home',
    path,
    '.daggerboard',
    'Folder of everything that the platform keeps: stores, buckets, images, repositories, logs.',
    { variable: 'DAGGERBOARD_HOME' },
  ),
  project: setting(
    'platform.project',
    text(/^[a-z][a-z0-9-]{4,28}[a-z0-9]$/, '6 to 30 lower-case letters, digits and "-"'),
    'daggerboard',
    'Project id, as Google Cloud has it.',
    { variable: 'DAGGERBOARD_PROJECT' },
  ),
  region: setting(
    'platform.region',
    text(/^[a-z]+(-[a-z]+)*\d?$/, 'a region such as us-central1'),
    'us-central1',
    'Region of clusters and services.',
    { variable: 'DAGGERBOARD_REGION' },
  ),
  adminPassword: setting(
    'platform.admin_password',
    text(/^(.{8,})?$/s, 'at least 8 characters'),
    '',
    'Password of the user admin. Empty: one is made at the first start and printed once.',
    { variable: 'DAGGERBOARD_ADMIN_PASSWORD', isSecret: true },
  ),
  port: setting('api.port', wholeNumber(0, 65_535), '8080', 'Port of all doors, on loopback. 0 takes a free one.', {
    variable: 'DAGGERBOARD_PORT',
    alias: ['webserver.web_server_port'],
  }),
  exposeConfig: setting(
    'api.expose_config',
    oneOf('true', 'false', 'non-sensitive-only'),
    'false',
    'Whether `GET /api/v2/config` tells the settings. Secrets are never told.',
    { alias: ['webserver.expose_config'] },
  ),
  dagsFolder: setting('core.dags_folder', path, resolve(ROOT, 'examples/dags'), 'Folder of DAG files.', {
    variable: 'DAGGERBOARD_DAGS_FOLDER',
  }),
  loadExamples: setting(
    'core.load_examples',
    yesOrNo,
    'true',
    'Whether the first start creates the example repositories, their triggers and their files in the bucket.',
    { variable: 'DAGGERBOARD_LOAD_EXAMPLES' },
  ),
  parallelism: setting('core.parallelism', wholeNumber(1, 4096), '32', 'Tasks that run or are queued for a worker at the same time.', {
    variable: 'DAGGERBOARD_PARALLELISM',
  }),
  maxActiveTasksPerDag: setting(
    'core.max_active_tasks_per_dag',
    wholeNumber(1, 100_000),
    '16',
    'How many tasks of one DAG run at the same time, where the DAG does not say.',
    { alias: ['core.dag_concurrency'] },
  ),
  maxActiveRunsPerDag: setting(
    'core.max_active_runs_per_dag',
    wholeNumber(1, 100_000),
    '16',
    'How many runs of one DAG run at the same time, where the DAG does not say.',
  ),
  maxConsecutiveFailedRunsPerDag: setting(
    'core.max_consecutive_failed_dag_runs_per_dag',
    wholeNumber(0, 100_000),
    '0',
    'After so many failed runs in a row a DAG is paused, where it does not say; 0 for never.',
  ),
  dagsArePausedAtCreation: setting(
    'core.dags_are_paused_at_creation',
    yesOrNo,
    'true',
    'Whether a DAG that is seen for the first time waits to be unpaused, where it does not say.',
  ),
  defaultTimezone: setting(
    'core.default_timezone',
    timeZone,
    'UTC',
    'Zone in which cron and dates without an offset are read, where the DAG does not say.',
  ),
  dagIgnoreFileSyntax: setting(
    'core.dag_ignore_file_syntax',
    oneOf('glob', 'regexp'),
    'glob',
    'How the lines of `.daggerboardignore` and `.airflowignore` are read: as in `.gitignore`, or as regular expressions.',
  ),
  dagbagImportTimeoutSeconds: setting(
    'core.dagbag_import_timeout',
    seconds(0.1, DAY),
    '30',
    'A DAG file that takes longer to read is an import error.',
  ),
  defaultTaskRetries: setting('core.default_task_retries', wholeNumber(0, 10_000), '0', 'Retries of a task that does not say.'),
  defaultTaskRetryDelaySeconds: setting(
    'core.default_task_retry_delay',
    seconds(0, YEAR),
    '300',
    'Wait before a retry of a task that does not say.',
  ),
  maxTaskRetryDelaySeconds: setting(
    'core.max_task_retry_delay',
    seconds(0, YEAR),
    '86400',
    'Longest wait before a retry when the waits grow, where the task does not say.',
  ),
  defaultTaskExecutionTimeoutSeconds: setting(
    'core.default_task_execution_timeout',
    secondsOrNone(0.1, YEAR),
    '',
    'A try of a task that does not say fails when it takes longer.',
  ),
  killedTaskCleanupSeconds: setting(
    'core.killed_task_cleanup_time',
    seconds(0, DAY),
    '60',
    'How long a task that listens when it is told to end may take for it, until its processes are killed.',
  ),
  maxMapLength: setting('core.max_map_length', wholeNumber(1, 1_000_000), '1024', 'Into how many instances a mapped task may unfold.'),
  defaultPoolSlots: setting(
    'core.default_pool_task_slot_count',
    wholeNumber(1, 1_000_000),
    '128',
    'Slots of `default_pool` when it is made at the first start.',
  ),
  fernetKey: setting(
    'core.fernet_key',
    text(),
    '',
    'Keys that encrypt secrets, newest first: a list, or with commas between them. Empty: the key file in the home folder.',
    { variable: 'DAGGERBOARD_FERNET_KEY', isSecret: true },
  ),
  hidesSensitiveFields: setting(
    'core.hide_sensitive_var_conn_fields',
    yesOrNo,
    'true',
    'Whether values of Variables and fields of Connections with a telling name are masked in logs and pages.',
  ),
  sensitiveNames: setting(
    'core.sensitive_var_conn_names',
    words,
    '',
    'Words beside the documented ones that make the name of a Variable or field a telling one.',
  ),
  masksSecretPatterns: setting(
    'core.mask_secret_patterns',
    yesOrNo,
    'false',
    'Whether what only looks like a secret (keys of AWS, GitHub, Slack, Google and Stripe, private keys, JSON web tokens) is masked in logs too.',
  ),
  catchupByDefault: setting(
    'scheduler.catchup_by_default',
    yesOrNo,
    'false',
    'Whether every interval since the start date gets its run, where the DAG does not say.',
  ),
  ignoreFirstDependsOnPastByDefault: setting(
    'scheduler.ignore_first_depends_on_past_by_default',
    yesOrNo,
    'true',
    'Whether `depends_on_past` is taken as met where there is no earlier instance, where the task does not say.',
  ),
  createCronDataIntervals: setting(
    'scheduler.create_cron_data_intervals',
    yesOrNo,
    'true',
    'Whether a cron text as a schedule gives data intervals as in Airflow 2; false: runs of no length at each tick, as in Airflow 3.',
  ),
  allowedRunIdPattern: setting(
    'scheduler.allowed_run_id_pattern',
    pattern,
    '^[A-Za-z0-9_.~:+-]+$',
    'What the id of a run that somebody triggers has to match.',
  ),
  dagRefreshSeconds: setting(
    'dag_processor.refresh_interval',
    seconds(0.1, DAY),
    '30',
    'How often the DAGs folder is looked through when nothing was heard of it. Saved files are heard of at once.',
    { alias: ['scheduler.dag_dir_list_interval'] },
  ),
  minFileProcessSeconds: setting(
    'dag_processor.min_file_process_interval',
    seconds(0, YEAR),
    '0',
    'After how long a DAG file is read again though neither it nor what it imports has changed; 0 for never. For files that make their DAGs from something else.',
    { alias: ['scheduler.min_file_process_interval'] },
  ),
  parsingProcesses: setting('dag_processor.parsing_processes', wholeNumber(1, 64), '2', 'Processes that read DAG files at the same time.', {
    alias: ['scheduler.parsing_processes'],
  }),
  dagFileProcessorTimeoutSeconds: setting(
    'dag_processor.dag_file_processor_timeout',
    seconds(0.1, DAY),
    '50',
    'The same limit as `dagbag_import_timeout`, which Airflow has twice: the shorter one counts.',
    { alias: ['core.dag_file_processor_timeout'] },
  ),
  triggererCapacity: setting(
    'triggerer.capacity',
    wholeNumber(1, 1_000_000),
    '1000',
    'How many deferred tasks wait in one process; there are as many as are needed.',
    {
      alias: ['triggerer.default_capacity'],
    },
  ),
  sensorTimeoutSeconds: setting('sensors.default_timeout', seconds(0, 10 * YEAR), '604800', 'How long a sensor that does not say waits.'),
  concurrentBuilds: setting(
    'builds.concurrency',
    wholeNumber(1, 64),
    '2',
    'Builds that run at the same time; those that another build waits for do not count.',
    { variable: 'DAGGERBOARD_CONCURRENT_BUILDS' },
  ),
  logRetentionSeconds: setting(
    'platform.log_retention',
    secondsOrNone(DAY, 100 * YEAR),
    '365d',
    'After how long logs of tasks and entries of the event log are deleted, once a day. Empty: never.',
  ),
  workerConcurrency: setting(
    'workers.concurrency',
    wholeNumber(0, 4096),
    '0',
    'Tasks that run at the same time, each in a worker process unless its DAG shares workers; those that are queued beyond it begin the moment that one ends. 0: as many as `parallelism`.',
    { alias: ['celery.worker_concurrency'] },
  ),
  workerMemoryMegabytes: setting(
    'workers.memory_megabytes',
    wholeNumber(0, 1_048_576),
    '0',
    'A worker process whose heap grows over this ends, and its task fails; 0 leaves it to Node.js.',
  ),
} as const satisfies Record<string, Setting>

export type SettingName = keyof typeof SETTINGS

/** `DAGGERBOARD__SECTION__KEY`. */
export const longVariable = (section: string, key: string): string => `DAGGERBOARD__${section.toUpperCase()}__${key.toUpperCase()}`
