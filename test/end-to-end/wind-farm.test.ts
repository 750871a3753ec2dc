/** The smaller story, in a fresh clone: measurements, a model, predictions, and the monitor, each DAG with the files of the one before. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as rest } from 'node:timers/promises'
import { rowsInTime } from '../../examples/wind-farm/src/features/preparation.ts'
import { readTurbineCsv } from '../../examples/wind-farm/src/features/turbine-table.ts'
import { readModel } from '../../examples/wind-farm/src/model/model-file.ts'
import { readMonitoring } from '../../examples/wind-farm/src/monitor.ts'
import { TARGET } from '../../examples/wind-farm/src/signals.ts'
import type { PlatformClient } from '../../packages/platform/src/cli/client.ts'
import { RunningPlatform } from './running-platform.ts'

const POLL_MS = 100
const ENDED = ['success', 'failed']

interface Run {
  readonly dag_run_id: string
  readonly state: string
}

let platform: RunningPlatform
let client: PlatformClient

before(async () => {
  platform = await RunningPlatform.start(['start'])
  client = await platform.client(await platform.endpoint())
})

after(() => platform.remove())

/** What a task has handed on. */
const outputOf = async (dagId: string, runId: string, taskId: string): Promise<string> => {
  const path = `/api/v2/dags/${dagId}/dagRuns/${runId}/taskInstances/${taskId}/xcomEntries/return_value`
  return (await client.get<{ value: string }>(path)).value
}

const logOf = (dagId: string, runId: string, taskId: string): Promise<string> =>
  client.text(`/api/v2/dags/${dagId}/dagRuns/${runId}/taskInstances/${taskId}/logs/1`)

/** The run, once it has ended well. */
async function succeeded(dagId: string, find: () => Promise<Run | undefined>): Promise<string> {
  for (;;) {
    const run = await find()
    if (run && ENDED.includes(run.state)) {
      assert.equal(run.state, 'success', await toldBy(dagId, run.dag_run_id))
      return run.dag_run_id
    }
    await rest(POLL_MS)
  }
}

async function toldBy(dagId: string, runId: string): Promise<string> {
  const path = `/api/v2/dags/${dagId}/dagRuns/${runId}/taskInstances`
  const { task_instances: tasks } = await client.get<{ task_instances: { task_id: string; state: string }[] }>(path)
  const logs = tasks
    .filter(({ state }) => state === 'failed')
    .map(async ({ task_id }) => `${task_id}: ${await logOf(dagId, runId, task_id)}`)
  return [`${dagId} has failed.`, ...(await Promise.all(logs))].join('\n')
}

async function run(dagId: string, request: object = {}): Promise<string> {
  await client.patch(`/api/v2/dags/${dagId}`, { is_paused: false })
  const { dag_run_id: id } = await client.post<Run>(`/api/v2/dags/${dagId}/dagRuns`, { logical_date: null, ...request })
  return succeeded(dagId, () => client.get<Run>(`/api/v2/dags/${dagId}/dagRuns/${id}`))
}

const interval = (start: string, end: string): object => ({
  data_interval_start: `${start}T00:00:00Z`,
  data_interval_end: `${end}T00:00:00Z`,
})
const squared = (values: Iterable<number>): number => [...values].reduce((sum, value) => sum + (Number.isNaN(value) ? 0 : value ** 2), 0)

test('the examples are there, and paused', async () => {
  const { dags } = await client.get<{ dags: { dag_id: string; is_paused: boolean }[] }>('/api/v2/dags?tags=wind-farm')
  assert.deepEqual(dags.map(({ dag_id }) => dag_id).sort(), ['get_data_from_engie_hub', 'monitor', 'predict', 'train'])
  assert.ok(dags.every(({ is_paused }) => is_paused))
})

// Unpaused DAGs also run by their schedules, so each run here stands for a time of its own and is followed by what it hands on.
test('measurements become a model, and later measurements predictions that are better than the mean and are monitored', {
  timeout: 300_000,
}, async () => {
  await client.patch('/api/v2/dags/monitor', { is_paused: false })
  const { hostname, port } = new URL(client.endpoint)
  const password = await platform.token(client.endpoint)
  await client.post('/api/v2/connections', { connection_id: 'record', conn_type: 'http', host: hostname, port: Number(port), password })
  const trained = await run('train', { ...interval('2025-03-01', '2025-03-22'), conf: { days: 21, mlflow_connection: 'record' } })
  const recorded = await logOf('train', trained, 'track_model')
  assert.match(recorded, /Recorded as version 1 of wind_farm/)
  const { metrics } = await readModel(await outputOf('train', trained, 'train_model'))
  assert.ok(metrics.rmse < metrics.baselineRmse / 2, `${metrics.rmse} beside ${metrics.baselineRmse}`)

  const fetched = await run('get_data_from_engie_hub', { ...interval('2025-03-24', '2025-03-25'), conf: { hours: 48 } })
  const dataPath = await outputOf('get_data_from_engie_hub', fetched, 'get_data')
  const predicted = await run('predict', { conf: { data_file: basename(dataPath) } })
  const predictionsPath = await outputOf('predict', predicted, 'predict')

  const [training, later] = await Promise.all(
    [await outputOf('train', trained, 'get_training_data'), dataPath].map((path) => readTurbineCsv(path, { target: true })),
  )
  assert.ok(training && later && Math.min(...later.time) > Math.max(...training.time))
  assert.equal(later.rows, 2 * 144 * 4)
  const known = (training.columns.get(TARGET) as Float64Array).filter((value) => !Number.isNaN(value))
  const mean = known.reduce((sum, value) => sum + value, 0) / known.length
  const truth = Array.from(rowsInTime(later, 'absent'), (row) => later.columns.get(TARGET)?.[row] as number)
  const predictions = (await readFile(predictionsPath, 'utf8')).trimEnd().split('\n').slice(1)
  const error = squared(predictions.map((line, place) => Number(line.split(',')[0]) - (truth[place] as number)))
  assert.equal(predictions.length, later.rows)
  assert.ok(error < squared(truth.map((value) => value - mean)) / 4)
  assert.match(await readFile(join(dirname(predictionsPath), 'latest.csv'), 'utf8'), /^predictions,predictions_time\n/)

  const stamp = basename(predictionsPath, '.csv')
  const monitored = await succeeded('monitor', async () => {
    const { dag_runs: runs } = await client.get<{ dag_runs: Run[] }>('/api/v2/dags/monitor/dagRuns')
    const logs = await Promise.all(runs.map(({ dag_run_id }) => logOf('monitor', dag_run_id, 'monitor').catch(() => '')))
    return runs.find((_, index) => logs[index]?.includes(`${stamp}: `))
  })
  assert.match(monitored, /^asset_triggered__/)
  const rows = readMonitoring(join(platform.home, 'wind-farm', 'monitoring.sqlite'))
  assert.equal(rows.filter(({ predictions_time }) => predictions_time === stamp).length, 1)
})
