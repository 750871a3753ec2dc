/** `daggerboard backfill …`: runs for intervals that have passed. */
import type { BackfillView, WholeBackfill } from './airflow.ts'
import { path, query } from './client.ts'
import { choice, command, flag, json, many, needed, neededDate, optional, required, text, wholeNumber, withDefault } from './command.ts'
import type { Context } from './context.ts'
import { tasksLike } from './find-task.ts'
import { bar, until } from './follow.ts'
import type { Column } from './output.ts'

const COLUMNS: readonly Column<BackfillView>[] = [
  'id',
  'dag_id',
  'from_date',
  'to_date',
  'reprocess_behavior',
  'max_active_runs',
  'is_paused',
  'created_at',
  'completed_at',
]

const REPROCESS = ['none', 'failed', 'completed'] as const

interface BackfillOrder {
  readonly dag_id: string
  readonly from_date: string
  readonly to_date: string
  readonly reprocess_behavior: (typeof REPROCESS)[number]
  readonly max_active_runs: number
  readonly run_backwards: boolean
  readonly dag_run_conf: Readonly<Record<string, unknown>>
  /** Ours: only these tasks. */
  readonly task_ids?: readonly string[]
}

interface Plan {
  readonly backfills: readonly { readonly logical_date: string | null }[]
}

/** Says what would run, or lets it run and, if `wait`, shows it until it is through. */
async function order(context: Context, body: BackfillOrder, { dryRun, wait }: { dryRun: boolean; wait: boolean }): Promise<number> {
  const { client, out, terminal, signal } = context
  const plan = await client.post<Plan>('/api/v2/backfills/dry_run', body)
  if (dryRun) {
    out.rows(
      plan.backfills,
      ['logical_date', ...(plan.backfills.some((each) => 'exception_reason' in each) ? ['exception_reason' as never] : [])],
      'There is nothing to run.',
    )
    return 0
  }
  const made = await client.post<BackfillView>('/api/v2/backfills', body)
  if (!wait) {
    out.rows([made], COLUMNS)
    return 0
  }
  const ended = await until(signal, async () => {
    const now = await client.get<WholeBackfill>(path`/api/v2/backfills/${made.id}`, signal)
    const { total, success, failed, running } = now.counts
    if (now.completed_at !== null) return now
    terminal.status(
      `Backfill ${made.id}  ${bar(success + failed, total)} runs, ${running} running${failed > 0 ? `, ${failed} failed` : ''}${now.is_paused ? ', paused' : ''}`,
    )
    return null
  })
  terminal.status('')
  const { counts, dates: _, ...shown } = ended
  if (out.isData) out.data([{ ...shown, counts }])
  else out.rows<BackfillView>([shown], COLUMNS)
  if (counts.left_out > 0)
    terminal.line(
      `${counts.left_out} dates got no run, because there is one already or the schedule has changed. See: daggerboard backfill show ${made.id}`,
    )
  if (counts.failed > 0)
    terminal.line(`${counts.failed} runs have failed. See: daggerboard dags list-runs ${body.dag_id} --run-type backfill --state failed`)
  return counts.failed > 0 || counts.success < counts.total ? 1 : 0
}

const create = command({
  name: 'create',
  summary: 'Make the runs that the schedule would have made between two dates',
  options: {
    dagId: needed('DAG', 'id of the DAG'),
    fromDate: neededDate('first logical date'),
    toDate: neededDate('last logical date'),
    reprocessBehavior: withDefault(
      choice(REPROCESS, 'which dates that have a run already run again: none, those that failed, or all that are over'),
      'none',
    ),
    maxActiveRuns: withDefault(wholeNumber('N', 'so many at the same time', 1), 10),
    runBackwards: flag('newest first'),
    dagRunConf: json('the conf of every run'),
    task: many('TASK', 'only this task; may be given several times'),
    dryRun: flag('only say what would run'),
    wait: flag('show the progress until all runs are over; status 1 if any has failed', { short: '-w' }),
  },
  run: (context, values) =>
    order(
      context,
      {
        dag_id: values.dagId,
        from_date: values.fromDate,
        to_date: values.toDate,
        reprocess_behavior: values.reprocessBehavior,
        max_active_runs: values.maxActiveRuns,
        run_backwards: values.runBackwards,
        dag_run_conf: values.dagRunConf ?? {},
        ...(values.task.length > 0 && { task_ids: values.task }),
      },
      values,
    ),
})

const list = command({
  name: 'list',
  summary: 'List backfills, newest first',
  args: { dagId: optional<string>('only those of this DAG') },
  async run({ client, out }, { dagId }) {
    const found = await client.list<BackfillView>(`/api/v2/backfills${query({ dag_id: dagId, order_by: '-id' })}`, 'backfills')
    out.rows(found, COLUMNS, 'There are no backfills.')
  },
})

const backfillId = required('number of the backfill')

const show = command({
  name: 'show',
  summary: 'Show a backfill',
  args: { backfillId },
  run: async ({ client, out }, { backfillId }) => out.record(await client.get<BackfillView>(path`/api/v2/backfills/${backfillId}`)),
})

const change = (name: 'pause' | 'unpause' | 'cancel', summary: string) =>
  command({
    name,
    summary,
    args: { backfillId },
    async run({ client, out }, { backfillId }) {
      out.rows([await client.put<BackfillView>(path`/api/v2/backfills/${backfillId}/${name}`)], COLUMNS)
    },
  })

export const backfill = [
  create,
  list,
  show,
  change('pause', 'Begin no further runs; those that run go on'),
  change('unpause', 'Go on'),
  change('cancel', 'End it: runs that wait are failed, those that run go on'),
]

/** Airflow 2's words for the same. */
export const dagsBackfill = command({
  name: 'backfill',
  summary: "Airflow 2's form of: backfill create",
  details: 'Says the new command that it stands for. Flags of Airflow 2 without a meaning here are refused.',
  args: { dagId: required('id of the DAG') },
  options: {
    startDate: neededDate('first logical date', { short: '-s' }),
    endDate: neededDate('last logical date', { short: '-e' }),
    conf: json('the conf of every run', { short: '-c' }),
    taskRegex: text('REGEX', 'only tasks whose ids it is found in', { short: '-t' }),
    rerunFailedTasks: flag('run dates again whose runs have failed'),
    resetDagruns: flag('run all dates again whose runs are over'),
    runBackwards: flag('newest first', { short: '-B' }),
    dryRun: flag('only say what would run', { short: '-n' }),
    yes: flag('taken as it is: nothing is asked', { short: '-y' }),
  },
  async run(context, values) {
    const { client, terminal } = context
    const behavior = values.resetDagruns ? 'completed' : values.rerunFailedTasks ? 'failed' : 'none'
    const ids = values.taskRegex === undefined ? [] : await tasksLike(client, values.dagId, values.taskRegex)
    const words = [
      `--dag-id ${values.dagId} --from-date ${values.startDate} --to-date ${values.endDate} --reprocess-behavior ${behavior}`,
      ...(values.runBackwards ? ['--run-backwards'] : []),
      ...(values.conf ? [`--dag-run-conf '${JSON.stringify(values.conf)}'`] : []),
      ...ids.map((id) => `--task ${id}`),
      values.dryRun ? '--dry-run' : '--wait',
    ]
    terminal.line(`In Airflow 3's words: daggerboard backfill create ${words.join(' ')}`)
    const body: BackfillOrder = {
      dag_id: values.dagId,
      from_date: values.startDate,
      to_date: values.endDate,
      reprocess_behavior: behavior,
      max_active_runs: 10,
      run_backwards: values.runBackwards,
      dag_run_conf: values.conf ?? {},
      ...(ids.length > 0 && { task_ids: ids }),
    }
    return order(context, body, { dryRun: values.dryRun, wait: !values.dryRun })
  },
})
