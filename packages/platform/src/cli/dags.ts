/** `daggerboard dags …`: what there is, and runs of it. */
import { type DagView, RUN_STATES, type RunView, type TaskView } from './airflow.ts'
import { path, query } from './client.ts'
import {
  anyNumber,
  choice,
  command,
  date,
  flag,
  json,
  many,
  optional,
  readDate,
  required,
  several,
  text,
  wholeNumber,
  withDefault,
} from './command.ts'
import { dotOf, treeOf } from './dag-picture.ts'
import { findRun } from './find-run.ts'
import { compiled } from './find-task.ts'
import { followRun } from './follow.ts'
import type { Column } from './output.ts'
import { answerOption, humanAnswers } from './question.ts'

const RUN_COLUMNS: readonly Column<RunView>[] = [
  'dag_id',
  'dag_run_id',
  'state',
  'run_type',
  'run_after',
  'logical_date',
  'start_date',
  'end_date',
]

const RUN_TYPES = ['scheduled', 'manual', 'backfill', 'asset_triggered', 'asset_materialization'] as const

const dagId = required('id of the DAG')

const list = command({
  name: 'list',
  summary: 'List all DAGs',
  options: {
    dagIdPattern: text('PATTERN', 'only ids that fit; % stands for anything, _ for one character'),
    tag: many('TAG', 'only those with this tag, or with one of several'),
    paused: choice(['true', 'false'], 'only those that are paused, or are not'),
    verbose: flag('more columns', { short: '-v' }),
  },
  async run({ client, out, terminal }, { dagIdPattern, tag, paused, verbose }) {
    const dags = await client.list<DagView>(`/api/v2/dags${query({ dag_id_pattern: dagIdPattern, tags: tag, paused })}`, 'dags')
    const more: Column<DagView>[] = verbose ? ['timetable_description', 'owners', 'tags', 'next_dagrun_run_after', 'last_parsed_time'] : []
    const columns: Column<DagView>[] = ['dag_id', 'relative_fileloc', 'is_paused', ['schedule', (dag) => dag.timetable_summary], ...more]
    out.rows(dags, columns, 'There are no such DAGs.')
    const { total_entries: broken } = await client.get<{ total_entries: number }>('/api/v2/importErrors?limit=1')
    if (broken > 0) terminal.line(`${broken} DAG file${broken === 1 ? '' : 's'} cannot be read. See: daggerboard dags list-import-errors`)
  },
})

const listRuns = command({
  name: 'list-runs',
  summary: 'List the runs of a DAG, newest first',
  args: { dagId: required('id of the DAG; ~ for all DAGs') },
  options: {
    state: choice(RUN_STATES, 'only runs in this state'),
    runType: choice(RUN_TYPES, 'only runs of this type'),
    noBackfill: flag('only runs that no backfill has made'),
    startDate: date('only logical dates from here on', { short: '-s' }),
    endDate: date('only logical dates up to here', { short: '-e' }),
    limit: withDefault(wholeNumber('N', 'at most so many', 1), 50),
  },
  async run({ client, out }, { dagId, state, runType, noBackfill, startDate, endDate, limit }) {
    const types = runType === undefined ? RUN_TYPES : [runType]
    const asked = noBackfill ? types.filter((type) => type !== 'backfill') : runType
    if (asked?.length === 0) return out.rows([], RUN_COLUMNS, 'There are no such runs.')
    const filter = { state, run_type: asked, logical_date_gte: startDate, logical_date_lte: endDate, order_by: '-run_after' }
    const runs = await client.list<RunView>(path`/api/v2/dags/${dagId}/dagRuns` + query(filter), 'dag_runs', { most: limit })
    out.rows(runs, RUN_COLUMNS, 'There are no such runs.')
  },
})

const listImportErrors = command({
  name: 'list-import-errors',
  summary: 'List the DAG files that cannot be read, and why; status 1 if there are any',
  async run({ client, out }) {
    const errors = await client.list<Record<string, unknown>>('/api/v2/importErrors', 'import_errors')
    out.rows(errors, ['filename', 'line', ['error', (error) => error.message ?? error.stack_trace]], 'All DAG files can be read.')
    return errors.length === 0 ? 0 : 1
  },
})

const details = command({
  name: 'details',
  summary: 'Show all that is known of a DAG',
  args: { dagId },
  run: async ({ client, out }, { dagId }) => out.record(await client.get(path`/api/v2/dags/${dagId}/details`)),
})

const show = command({
  name: 'show',
  summary: "Draw a DAG's tasks and what waits for what",
  args: { dagId },
  options: { dot: flag('as DOT, for Graphviz') },
  async run({ client, out }, { dagId, dot }) {
    const { tasks } = await client.get<{ tasks: TaskView[] }>(path`/api/v2/dags/${dagId}/tasks`)
    if (out.isData) out.data(tasks)
    else for (const line of dot ? dotOf(dagId, tasks) : treeOf(tasks)) out.line(line)
  },
})

const trigger = command({
  name: 'trigger',
  summary: 'Make a run of a DAG now',
  args: { dagId },
  options: {
    conf: json("the run's conf: overrides the DAG's params", { short: '-c' }),
    runId: text('ID', 'how the run is named', { short: '-r' }),
    logicalDate: date('its logical date', { short: '-l' }),
    runAfter: date('when it may begin at the earliest'),
    note: text('TEXT', 'shown beside the run'),
    wait: flag('show its progress until it is over; status 1 if it has failed', { short: '-w' }),
  },
  async run(context, { dagId, conf, runId, logicalDate, runAfter, note, wait }) {
    const { client, out, terminal } = context
    const body = { dag_run_id: runId, logical_date: logicalDate ?? null, run_after: runAfter, conf: conf ?? {}, note }
    const made = await client.post<RunView>(path`/api/v2/dags/${dagId}/dagRuns`, body)
    if ((await client.get<DagView>(path`/api/v2/dags/${dagId}`)).is_paused)
      terminal.line(`DAG "${dagId}" is paused: its runs wait until "daggerboard dags unpause ${dagId}".`)
    const run = wait ? await followRun(context, made) : made
    out.rows([run], RUN_COLUMNS)
    return run.state === 'failed' ? 1 : 0
  },
})

const setPaused = (name: 'pause' | 'unpause', summary: string) =>
  command({
    name,
    summary,
    args: { dagIds: several('ids of the DAGs') },
    async run({ client, out }, { dagIds }) {
      const dags: DagView[] = []
      for (const id of dagIds) dags.push(await client.patch<DagView>(path`/api/v2/dags/${id}`, { is_paused: name === 'pause' }))
      out.rows(dags, ['dag_id', 'is_paused'])
    },
  })

const nextExecution = command({
  name: 'next-execution',
  summary: 'Say when the schedule makes the next runs',
  args: { dagId },
  options: { numExecutions: withDefault(wholeNumber('N', 'so many of them', 1, { short: '-n' }), 1) },
  async run({ client, out, terminal }, { dagId, numExecutions }) {
    const dag = await client.get<DagView & { next_dagruns?: readonly Record<string, unknown>[] }>(
      path`/api/v2/dags/${dagId}` + query({ next_dagruns: numExecutions }),
    )
    const next = dag.next_dagruns ?? (dag.next_dagrun_run_after === null ? [] : [nextOf(dag)])
    out.rows(next, ['logical_date', 'data_interval_start', 'data_interval_end', 'run_after'], noFurther(dag))
    if (dag.is_paused) terminal.line(`DAG "${dagId}" is paused: no run is made until "daggerboard dags unpause ${dagId}".`)
  },
})

/** Why there is no next run that could be told. */
function noFurther({ dag_id: dagId, timetable_summary: schedule, timetable_description: described }: DagView): string {
  if (described.startsWith('When its assets')) return `DAG "${dagId}" runs when its assets are updated (${schedule}), not at a time.`
  if (schedule === null) return `DAG "${dagId}" has no schedule: it runs when somebody triggers it.`
  return `The schedule of DAG "${dagId}" makes no further runs.`
}

const nextOf = (dag: DagView) => ({
  logical_date: dag.next_dagrun_logical_date,
  data_interval_start: dag.next_dagrun_data_interval_start,
  data_interval_end: dag.next_dagrun_data_interval_end,
  run_after: dag.next_dagrun_run_after,
})

const state = command({
  name: 'state',
  summary: 'Say the state of a run',
  args: { dagId, run: required('id or logical date of the run') },
  async run({ client, out, zone }, { dagId, run }) {
    const found = await findRun(client, dagId, run, zone)
    out.done(found.state, found)
  },
})

const remove = command({
  name: 'delete',
  summary: 'Delete what is kept of a DAG: its runs, their tasks and XComs',
  details: 'As long as its file is in the DAGs folder, the DAG comes back with its next change, without runs.',
  args: { dagId },
  options: { yes: flag('do not ask', { short: '-y' }) },
  async run({ client, out, confirm }, { dagId, yes }) {
    const { total_entries: runs } = await client.get<{ total_entries: number }>(path`/api/v2/dags/${dagId}/dagRuns?limit=1`)
    await confirm(`Delete DAG "${dagId}" and its ${runs} runs?`, yes)
    await client.delete(path`/api/v2/dags/${dagId}`)
    out.done(`DAG "${dagId}" is deleted.`, { dag_id: dagId })
  },
})

const reserialize = command({
  name: 'reserialize',
  summary: 'Read the files of DAGs anew now',
  details: 'Files are read by themselves when they change; this is for what they read besides.',
  args: { dagIds: anyNumber('ids of the DAGs; without any, all of them') },
  async run({ client, out }, { dagIds }) {
    const dags =
      dagIds.length === 0
        ? await client.list<DagView>('/api/v2/dags', 'dags')
        : await Promise.all(dagIds.map((id) => client.get<DagView>(path`/api/v2/dags/${id}`)))
    const tokens = [...new Set(dags.map((dag) => dag.file_token))]
    for (const token of tokens) await client.put(path`/api/v2/parseDagFile/${token}`)
    out.done(`${tokens.length} file${tokens.length === 1 ? ' is' : 's are'} read anew.`, { files: tokens.length })
  },
})

const report = command({
  name: 'report',
  summary: 'Show the files of the DAGs folder: what is in them, and how they were read',
  async run({ client, out }) {
    const dags = await client.list<DagView>('/api/v2/dags', 'dags')
    const files = [...Map.groupBy(dags, (dag) => String(dag.relative_fileloc))].map(([file, inFile]) => ({
      file,
      dag_num: inFile.length,
      dags: inFile.map((dag) => dag.dag_id),
      duration: inFile[0]?.last_parse_duration ?? null,
      last_parsed_time: inFile[0]?.last_parsed_time ?? null,
      has_import_errors: inFile.some((dag) => dag.has_import_errors),
    }))
    out.rows(files, ['file', 'dag_num', 'dags', 'duration', 'last_parsed_time', 'has_import_errors'], 'There are no DAGs.')
  },
})

const source = command({
  name: 'source',
  summary: 'Print the file of a DAG as it was read',
  args: { dagId },
  async run({ client, out }, { dagId }) {
    const { content } = await client.get<{ content: string }>(path`/api/v2/dagSources/${dagId}`)
    out.done(content.trimEnd(), { dag_id: dagId, content })
  },
})

const test = command({
  name: 'test',
  summary: 'Run a whole DAG in this process, and keep nothing of it',
  details:
    'Reads the DAGs folder of this machine; no platform need run. Variables and connections are those of the home. Tasks do what they do: only the record of it is left out. What they ask humans, you are asked; without a terminal, and without --answer, it is as if nobody had answered in time.',
  isLocal: true,
  args: { dagId, logicalDate: optional<string>('logical date of the run', readDate) },
  options: {
    conf: json("the run's conf", { short: '-c' }),
    markSuccessPattern: text('REGEX', 'tasks in whose ids it is found are not run and count as successful'),
    answer: answerOption,
  },
  async run(context, { dagId, logicalDate, conf, markSuccessPattern, answer }) {
    const { host, inspected, out, terminal, signal } = context
    const pattern = markSuccessPattern === undefined ? null : compiled(markSuccessPattern)
    const run = await host.testDag(inspected.settings, {
      dagId,
      logicalDate: logicalDate ?? null,
      conf: conf ?? {},
      skips: (taskId) => pattern?.test(taskId) ?? false,
      onLine: (line) => terminal.event(line),
      answers: humanAnswers(context, answer, 'dags test'),
      signal,
    })
    if (out.isData) out.data(run)
    else {
      out.rows(run.tasks, ['task_id', 'map_index', 'state', 'try_number'])
      out.line(`The run has ended as ${run.state}.`)
    }
    return run.state === 'success' ? 0 : 1
  },
})

export const dags = [
  test,
  list,
  listRuns,
  listImportErrors,
  details,
  show,
  trigger,
  setPaused('pause', 'Let the schedule make no further runs'),
  setPaused('unpause', 'Let the schedule make runs'),
  nextExecution,
  state,
  remove,
  reserialize,
  report,
  source,
]
