/** `daggerboard tasks …`: the tasks of a DAG, and their instances in runs. */
import { AppError } from '../core/app-error.ts'
import { type InstanceView, instanceName, instancePath, type TaskView } from './airflow.ts'
import { path } from './client.ts'
import { command, date, flag, json, optional, readDate, required, text, wholeNumber } from './command.ts'
import { treeOf } from './dag-picture.ts'
import { explainTask } from './explain.ts'
import { findRun } from './find-run.ts'
import { tasksLike } from './find-task.ts'
import type { Column } from './output.ts'
import { answerOption, humanAnswers } from './question.ts'
import { runForTest } from './run-for-test.ts'
import { followLog, readLog } from './task-log.ts'

const dagId = required('id of the DAG')
const taskId = required('id of the task')
const run = required('id or logical date of the run')
const mapIndex = wholeNumber('N', 'which instance of a mapped task', 0)

const COLUMNS: readonly Column<InstanceView>[] = [
  'dag_id',
  'dag_run_id',
  'task_id',
  'map_index',
  'state',
  'try_number',
  'start_date',
  'end_date',
]

const list = command({
  name: 'list',
  summary: 'List the tasks of a DAG',
  args: { dagId },
  options: { tree: flag('drawn as a tree') },
  async run({ client, out }, { dagId, tree }) {
    const { tasks } = await client.get<{ tasks: TaskView[] }>(path`/api/v2/dags/${dagId}/tasks`)
    if (tree && !out.isData) for (const line of treeOf(tasks)) out.line(line)
    else out.rows(tasks, ['task_id', 'operator_name', 'trigger_rule', 'upstream_task_ids', 'is_mapped'], 'It has no tasks.')
  },
})

const state = command({
  name: 'state',
  summary: 'Say the state of a task in a run',
  args: { dagId, taskId, run },
  options: { mapIndex },
  async run({ client, out, zone }, { dagId, taskId, run, mapIndex }) {
    const { dag_run_id } = await findRun(client, dagId, run, zone)
    const instance = await client.get<InstanceView>(instancePath(dagId, dag_run_id, taskId, mapIndex))
    out.done(instance.state ?? 'none', instance)
  },
})

const statesForDagRun = command({
  name: 'states-for-dag-run',
  summary: 'List the states of all tasks of a run',
  args: { dagId, run },
  async run({ client, out, zone }, { dagId, run }) {
    const { dag_run_id } = await findRun(client, dagId, run, zone)
    const address = path`/api/v2/dags/${dagId}/dagRuns/${dag_run_id}/taskInstances`
    out.rows(await client.list<InstanceView>(address, 'task_instances'), COLUMNS, 'The run has no tasks.')
  },
})

const clear = command({
  name: 'clear',
  summary: 'Let tasks run again',
  details: 'Says first what would be cleared. Without dates or --run-id, it is the tasks of all runs.',
  args: { dagId },
  options: {
    taskRegex: text('REGEX', 'only tasks whose ids it is found in', { short: '-t' }),
    runId: text('ID', 'only this run; its id or its logical date'),
    startDate: date('only logical dates from here on', { short: '-s' }),
    endDate: date('only logical dates up to here', { short: '-e' }),
    upstream: flag('and the tasks before them', { short: '-u' }),
    downstream: flag('and the tasks after them', { short: '-d' }),
    onlyFailed: flag('only those that have failed', { short: '-f' }),
    onlyRunning: flag('only those that are running', { short: '-r' }),
    past: flag('and the same tasks in earlier runs'),
    future: flag('and the same tasks in later runs'),
    noResetDagRuns: flag('leave the state of their runs as it is'),
    preventRunningTask: flag('refuse to clear tasks that are running'),
    dryRun: flag('only say what would be cleared', { short: '-n' }),
    yes: flag('do not ask', { short: '-y' }),
  },
  async run({ client, out, terminal, confirm, zone }, values) {
    const { dagId, runId, startDate, endDate } = values
    if (runId !== undefined && (startDate !== undefined || endDate !== undefined))
      throw new AppError('invalid', 'Name one run by --run-id, or several by --start-date and --end-date, not both.', { exitStatus: 2 })
    const body = {
      dag_run_id: runId === undefined ? null : (await findRun(client, dagId, runId, zone)).dag_run_id,
      start_date: startDate ?? null,
      end_date: endDate ?? null,
      task_ids: values.taskRegex === undefined ? null : await tasksLike(client, dagId, values.taskRegex),
      include_upstream: values.upstream,
      include_downstream: values.downstream,
      include_past: values.past,
      include_future: values.future,
      only_failed: values.onlyFailed,
      only_running: values.onlyRunning,
      reset_dag_runs: !values.noResetDagRuns,
      prevent_running_task: values.preventRunningTask,
    }
    const address = path`/api/v2/dags/${dagId}/clearTaskInstances`
    const planned = await client.post<{ task_instances: InstanceView[] }>(address, { ...body, dry_run: true })
    if (values.dryRun || planned.task_instances.length === 0) return out.rows(planned.task_instances, COLUMNS, 'There is nothing to clear.')
    if (!values.yes)
      for (const each of planned.task_instances) terminal.line(`  ${each.dag_run_id}  ${instanceName(each)}  ${each.state ?? 'none'}`)
    await confirm(`Clear these ${planned.task_instances.length} task instances of DAG "${dagId}"?`, values.yes)
    const { task_instances: cleared } = await client.post<{ task_instances: InstanceView[] }>(address, { ...body, dry_run: false })
    out.done(`${cleared.length} task instance${cleared.length === 1 ? ' is' : 's are'} cleared.`, cleared)
  },
})

const render = command({
  name: 'render',
  summary: "Show a task's arguments in a run with their templates filled in, as its latest try had them",
  args: { dagId, taskId, run },
  options: { mapIndex },
  async run({ client, out, zone }, { dagId, taskId, run, mapIndex }) {
    const { dag_run_id } = await findRun(client, dagId, run, zone)
    const instance = await client.get<InstanceView>(instancePath(dagId, dag_run_id, taskId, mapIndex))
    if (instance.try_number === 0)
      throw new AppError(
        'conflict',
        `Task "${taskId}" has not run yet in run "${dag_run_id}", and templates are filled in when it runs. Try it with: daggerboard tasks test -n ${dagId} ${taskId}${mapIndex === undefined ? '' : ` --map-index ${mapIndex}`}`,
      )
    out.record(instance.rendered_fields)
  },
})

const failedDeps = command({
  name: 'failed-deps',
  summary: 'Say why a task of a run does not run: the same as explain',
  args: { dagId, taskId, run },
  options: { mapIndex },
  run: (context, { dagId, taskId, run, mapIndex }) => explainTask(context, { run, taskId, dagId, mapIndex }),
})

const logs = command({
  name: 'logs',
  summary: 'Print the log of a try of a task',
  args: { dagId, taskId, run, tryNumber: optional('which try; without it, the latest', wholeNumber('N', '', 1).read) },
  options: { mapIndex, follow: flag('go on until the task is over', { short: '-f' }) },
  async run({ client, out, signal, zone }, { dagId, taskId, run, tryNumber, mapIndex, follow }) {
    const { dag_run_id } = await findRun(client, dagId, run, zone)
    const task = { dagId, runId: dag_run_id, taskId, mapIndex }
    const wanted = tryNumber as number | undefined
    if (!follow) {
      const number = wanted ?? (await client.get<InstanceView>(instancePath(dagId, dag_run_id, taskId, mapIndex), signal)).try_number
      if (number === 0) throw new AppError('not_found', `Task "${taskId}" has not run yet in run "${dag_run_id}". Add -f to wait for it.`)
      const lines = await readLog(client, task, number, signal)
      if (out.isData) out.data(lines)
      else for (const line of lines) out.line(line)
      return
    }
    const lines: string[] = []
    await followLog(client, task, wanted, signal, (line) => (out.isData ? void lines.push(line) : out.line(line)))
    if (out.isData) out.data(lines)
  },
})

const test = command({
  name: 'test',
  summary: 'Run one task in this process, whatever comes before it, and keep nothing of it',
  details:
    'Reads the DAGs folder of this machine; no platform need run. With the id of a run of the platform in the home, the task gets the dates and the XComs of that run.',
  isLocal: true,
  args: { dagId, taskId, run: optional<string>('id of a run, or a logical date') },
  options: {
    dryRun: flag('only fill in the templates of its arguments', { short: '-n' }),
    mapIndex,
    taskParams: json("over the DAG's params", { short: '-t' }),
    envVars: json('added to the environment of the task'),
    answer: answerOption,
  },
  async run(context, { dagId, taskId, run, dryRun, mapIndex = -1, taskParams, envVars, answer }) {
    const { host, inspected, out, terminal, signal } = context
    const known = await runForTest(context, dagId, run)
    const result = await host.testTask(inspected.settings, {
      dagId,
      taskId,
      mapIndex,
      conf: { ...known?.conf, ...taskParams },
      environment: Object.fromEntries(Object.entries(envVars ?? {}).map(([name, value]) => [name, String(value)])),
      rendersOnly: dryRun,
      logicalDate: known ? known.logicalDate : run === undefined ? null : readDate(run, context.zone),
      run: known,
      xcoms: known?.xcoms ?? [],
      // Nothing is run when only templates are filled in.
      onLine: (line) => dryRun || terminal.event(line),
      answers: humanAnswers(context, answer, 'tasks test'),
      signal,
    })
    const isGood = result.state === 'success' || result.state === 'skipped'
    if (dryRun && !isGood)
      throw new AppError('invalid', `The templates of task "${taskId}" cannot be filled in: ${result.detail ?? 'nobody knows why.'}`)
    if (dryRun) return out.record((result.renderedFields ?? {}) as Record<string, unknown>)
    const { output, ...ended } = result
    if (out.isData) out.data(result)
    else out.record({ state: ended.state, ...(ended.detail && { detail: ended.detail }), return_value: output })
    return isGood ? 0 : 1
  },
})

export const tasks = [test, list, state, statesForDagRun, clear, render, failedDeps, logs]
