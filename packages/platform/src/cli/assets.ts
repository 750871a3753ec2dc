/** `daggerboard assets …` */
import { AppError, didYouMean } from '../core/app-error.ts'
import type { AssetView, RunView } from './airflow.ts'
import { type PlatformClient, path, query } from './client.ts'
import { command, flag, json, optional, required, text, wholeNumber, withDefault } from './command.ts'
import { followRun } from './follow.ts'

const asset = required('name or URI of the asset')
/** The same, or Airflow's flags for it. */
const named = { asset: optional('name or URI of the asset') }
const flags = { name: text('NAME', 'its name'), uri: text('URI', 'its URI') }

interface Named {
  readonly asset: string | undefined
  readonly name: string | undefined
  readonly uri: string | undefined
}

/** By what it was called: its name or URI, or by flags, both of which it must fit. Throws a usage error for neither, or both ways. */
async function findNamed(client: PlatformClient, { asset, name, uri }: Named): Promise<AssetView> {
  const isFlagged = name !== undefined || uri !== undefined
  if ((asset !== undefined) === isFlagged)
    throw new AppError('invalid', 'Say which asset: by its name or URI, or by --name and --uri.', { exitStatus: 2 })
  const found = await find(client, asset ?? name ?? uri ?? '')
  if ((name === undefined || found.name === name) && (uri === undefined || found.uri === uri)) return found
  throw new AppError('not_found', `Asset "${found.name}" has the URI "${found.uri}". See: daggerboard assets list`)
}

async function find(client: PlatformClient, nameOrUri: string): Promise<AssetView> {
  const all = await client.list<AssetView>('/api/v2/assets', 'assets')
  const found = all.find((each) => each.name === nameOrUri) ?? all.find((each) => each.uri === nameOrUri)
  if (found) return found
  const known = all.map((each) => each.name)
  throw new AppError('not_found', `No DAG names an asset "${nameOrUri}".${didYouMean(nameOrUri, known)} See: daggerboard assets list`)
}

const list = command({
  name: 'list',
  summary: 'List the assets that DAGs make or wait for',
  options: { namePattern: text('PATTERN', 'only names that fit; % stands for anything') },
  async run({ client, out }, { namePattern }) {
    const all = await client.list<AssetView>(`/api/v2/assets${query({ name_pattern: namePattern })}`, 'assets')
    out.rows(
      all,
      [
        'name',
        'uri',
        'group',
        ['producing_tasks', (each) => tasksOf(each.producing_tasks)],
        ['scheduled_dags', (each) => dagsOf(each.scheduled_dags)],
      ],
      'There are no assets.',
    )
  },
})

const tasksOf = (given: unknown) => ((given ?? []) as { dag_id: string; task_id: string }[]).map((each) => `${each.dag_id}/${each.task_id}`)
const dagsOf = (given: unknown) => ((given ?? []) as { dag_id: string }[]).map((each) => each.dag_id)

const details = command({
  name: 'details',
  summary: 'Show an asset',
  args: named,
  options: flags,
  run: async ({ client, out }, which) => out.record(await client.get(path`/api/v2/assets/${(await findNamed(client, which)).id}`)),
})

const events = command({
  name: 'events',
  summary: 'List when an asset was updated, and by whom, newest first',
  args: { asset },
  options: { limit: withDefault(wholeNumber('N', 'at most so many', 1), 50) },
  async run({ client, out }, { asset, limit }) {
    const { id } = await find(client, asset)
    const address = `/api/v2/assets/events${query({ asset_id: id, order_by: '-timestamp' })}`
    const found = await client.list<Record<string, unknown>>(address, 'asset_events', { most: limit })
    out.rows(found, ['timestamp', 'source_dag_id', 'source_run_id', 'source_task_id', 'extra'], 'It has not been updated yet.')
  },
})

const materialize = command({
  name: 'materialize',
  summary: 'Run the DAG that makes an asset',
  args: named,
  options: { ...flags, wait: flag('show the progress until it is over; status 1 if it has failed', { short: '-w' }) },
  async run(context, { wait, ...which }) {
    const { client, out } = context
    const made = await client.post<RunView>(path`/api/v2/assets/${(await findNamed(client, which)).id}/materialize`, {})
    const run = wait ? await followRun(context, made) : made
    out.rows([run], ['dag_id', 'dag_run_id', 'state', 'run_type', 'run_after'])
    return run.state === 'failed' ? 1 : 0
  },
})

const createEvent = command({
  name: 'create-event',
  summary: 'Say that an asset was updated by something outside',
  args: { asset },
  options: { extra: json('facts about the update') },
  async run({ client, out }, { asset, extra }) {
    const { id, name } = await find(client, asset)
    out.done(`Asset "${name}" is updated.`, await client.post('/api/v2/assets/events', { asset_id: id, extra: extra ?? {} }))
  },
})

export const assets = [list, details, events, materialize, createEvent]
