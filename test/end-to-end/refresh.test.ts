import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import type { PlatformClient } from '../../packages/platform/src/cli/client.ts'
import { type Facts, LiveEvents } from './live-events.ts'
import { RunningPlatform } from './running-platform.ts'

const run = promisify(execFile)
const ROWS = join(
  resolve(process.env.DAGGERBOARD_TEST_DATA ?? join(import.meta.dirname, '../../../shared/data')),
  'events/purchase_rows_2019-10-01.csv.gz',
)
const hasRows = existsSync(ROWS)

interface DemoResult {
  ok: boolean
  reason: string | null
  seconds: number
  endpoint: string
  dagRun: { state: string; tasks: Record<string, string> }
  builds: { id: string; status: string; repository: string; steps: { id: string; status: string }[] }[]
  model: { name: string; version: string; stage: string; metrics: Record<string, number> }
  service: { name: string; revision: string; url: string }
  prediction: { predictions: { prediction: number; probability: number }[] }
}

interface Build {
  id: string
  status: string
  statusDetail?: string
  steps: { id: string; status: string }[]
}

let platform: RunningPlatform
let client: PlatformClient
let events: LiveEvents
let result: DemoResult
let folder: string

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'daggerboard-push-'))
  platform = await RunningPlatform.start(['demo', '--json', ...(hasRows ? ['--rows', ROWS] : ['--size', '300000'])])
  result = JSON.parse(await platform.line((line) => line.startsWith('{')))
  client = await platform.client(result.endpoint)
  events = await LiveEvents.open(client)
})

after(async () => {
  events?.close()
  await platform?.remove()
  await rm(folder, { recursive: true, force: true })
})

test(`one command refreshes the model of last week on ${hasRows ? 'the real rows of 2019-10-01' : 'generated events'}, from the data interval to a prediction`, async () => {
  assert.ok(result.ok, `${result.reason}\n${platform.output}`)
  assert.deepEqual(result.dagRun, {
    state: 'success',
    tasks: { create_dataproc: 'success', submit_job: 'success', delete_dataproc: 'success', trigger_ml_build: 'success' },
  })
  assert.deepEqual(
    result.builds.map((build) => [build.repository, build.status, build.steps.map((step) => `${step.id} ${step.status}`)]),
    [
      ['purchase_predict', 'SUCCESS', ['test SUCCESS', 'train SUCCESS', 'api SUCCESS']],
      ['purchase_predict_api', 'SUCCESS', ['model SUCCESS', 'build SUCCESS', 'push SUCCESS', 'deploy SUCCESS']],
    ],
  )
  assert.equal(result.model.name, 'purchase_predict')
  assert.equal(result.model.stage, 'Staging')
  assert.ok((result.model.metrics.auc ?? 0) > 0.65, JSON.stringify(result.model.metrics))
  const [first] = result.prediction.predictions
  assert.ok(first && first.probability > 0 && first.probability < 1)
})

test('the cluster of the refresh is gone, and its address in the bucket holds what the manifest says', async () => {
  assert.deepEqual(await clusters(), [])
  const { items } = await client.get<{ items: { name: string }[] }>('/storage/v1/b/daggerboard-data/o?prefix=primary/staging/')
  const manifest = items.find((item) => item.name.endsWith('/_manifest.json'))
  assert.ok(manifest)
  const { rows, parts } = await client.get<{ rows: number; parts: { name: string; rows: number }[] }>(
    `/storage/v1/b/daggerboard-data/o/${encodeURIComponent(manifest.name)}?alt=media`,
  )
  assert.equal(
    parts.reduce((sum, part) => sum + part.rows, 0),
    rows,
  )
  assert.equal(items.filter((item) => item.name.includes('/part-')).length, parts.length)
  if (hasRows) assert.equal(rows, 22971)
})

test('the deployed API answers all problems of a bad row, and a brand that it has never seen', async () => {
  const good = {
    product_id: 1,
    brand: 'never-seen',
    price: 9.5,
    num_views_session: 1,
    num_views_product: 1,
    category: 'x',
    sub_category: 'y',
    hour: 1,
  }
  const more = { minute: 1, weekday: 1, duration: 1, num_prev_sessions: 0, num_prev_product_views: 0 }
  const answer = await client.post<{ predictions: { prediction: number }[] }>(`/services/${result.service.name}/predict`, {
    ...good,
    ...more,
  })
  assert.equal(answer.predictions.length, 1)
  await assert.rejects(
    client.post(`/services/${result.service.name}/predict`, { ...good, ...more, price: 'cheap', hour: 99 }),
    (error: Error) => {
      assert.match(error.message, /price/)
      assert.match(error.message, /hour/)
      return true
    },
  )
})

/** The state of the next run of `pipeline_ml` of that type that ends, and those of its tasks; `start` makes it. */
async function runPipeline(runType: string, start: () => Promise<unknown>): Promise<Record<string, string>> {
  const isEnd = (facts: Facts) => facts.dagId === 'pipeline_ml' && facts.runType === runType && /success|failed/.test(String(facts.state))
  const ended = events.until('dag_run.changed', isEnd)
  await start()
  const { runId, state } = await ended
  const { task_instances: tasks } = await client.get<{ task_instances: { task_id: string; state: string }[] }>(
    `/api/v2/dags/pipeline_ml/dagRuns/${runId}/taskInstances`,
  )
  return { run: String(state), ...Object.fromEntries(tasks.map((task) => [task.task_id, task.state])) }
}

const clusters = async () =>
  (await client.get<{ clusters?: unknown[] }>('/v1/projects/daggerboard/regions/us-central1/clusters')).clusters ?? []

test('unpaused, pipeline_ml transforms last week once and brings the model to staging and to production', async () => {
  const states = await runPipeline('scheduled', () => client.patch('/api/v2/dags/pipeline_ml', { is_paused: false }))
  assert.ok(
    Object.values(states).every((state) => state === 'success'),
    JSON.stringify(states),
  )
  const { model_versions: versions } = await client.post<{ model_versions: { current_stage: string }[] }>(
    '/api/2.0/mlflow/registered-models/get-latest-versions',
    {
      name: 'purchase_predict',
      stages: ['Staging', 'Production'],
    },
  )
  assert.deepEqual(versions.map((version) => version.current_stage).sort(), ['Production', 'Staging'])
  const health = await client.get<{ status: string }>('/services/purchase-predict-api-production/health')
  assert.equal(health.status, 'ok')
})

test('a week without events fails at the transform, starts no build, and its cluster is deleted all the same', async () => {
  const interval = { data_interval_start: '2001-01-01T05:00:00Z', data_interval_end: '2001-01-08T05:00:00Z' }
  const trigger = () => client.post('/api/v2/dags/pipeline_ml/dagRuns', { logical_date: null, ...interval })
  const states = await runPipeline('manual', trigger)
  const { run, create_dataproc, submit_job, delete_dataproc, ...builds } = states
  assert.deepEqual(
    { run, create_dataproc, submit_job, delete_dataproc },
    { run: 'failed', create_dataproc: 'success', submit_job: 'failed', delete_dataproc: 'success' },
  )
  assert.ok(
    Object.values(builds).length >= 2 && Object.values(builds).every((state) => state === 'upstream_failed'),
    JSON.stringify(states),
  )
  assert.deepEqual(await clusters(), [])
})

/** Clones a hosted repository, lets `change` work in it, pushes to `staging` and answers the build that the push started, once it has ended. */
async function push(repository: string, change: (directory: string) => Promise<void>): Promise<Build> {
  const directory = await mkdtemp(join(folder, `${repository}-`))
  const remote = `${result.endpoint.replace('://', `://${RunningPlatform.login}@`)}/p/daggerboard/r/${repository}`
  const git = (...args: string[]) => run('git', ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.com', ...args], { cwd: directory })
  await git('clone', '-q', '--branch', 'staging', remote, '.')
  // Each test begins with the repository as it was at first, whatever the one before has pushed.
  const { stdout: first } = await git('rev-list', '--max-parents=0', 'HEAD')
  await git('restore', `--source=${first.trim()}`, '--staged', '--worktree', '.')
  await change(directory)
  await git('commit', '-qam', 'Change something')
  const { stdout: commit } = await git('rev-parse', 'HEAD')
  const ended = events.until('build.changed', ({ commitSha, status }) => commitSha === commit.trim() && hasEnded(String(status)))
  await git('push', '-q', 'origin', 'staging')
  return client.get<Build>(`/v1/projects/daggerboard/builds/${(await ended).buildId}`)
}

const hasEnded = (status: string) => !['QUEUED', 'WORKING', 'PENDING'].includes(status)

const edit = async (path: string, change: (text: string) => string) => {
  const before = await readFile(path, 'utf8')
  const after = change(before)
  assert.notEqual(after, before, `The test changed nothing in ${path}.`)
  await writeFile(path, after)
}

const staged = async () => {
  const body = { name: 'purchase_predict', stages: ['Staging'] }
  const path = '/api/2.0/mlflow/registered-models/get-latest-versions'
  return (await client.post<{ model_versions: { version: string }[] }>(path, body)).model_versions.map(({ version }) => version)
}

const serving = async () => (await client.get<{ model: { version: string } }>(`/services/${result.service.name}/health`)).model

test('a cloudbuild.yaml with an unknown substitution fails its build before any step, and says which key', async () => {
  const build = await push('purchase_predict', (directory) =>
    edit(join(directory, 'cloudbuild.yaml'), (text) => text.replace('$BRANCH_NAME', '$BRANCH_NAME_OF_MINE')),
  )
  assert.equal(build.status, 'FAILURE')
  assert.match(build.statusDetail ?? '', /BRANCH_NAME_OF_MINE/)
})

test('a failing unit test in the repository stops the build at its step, and no model is trained', async () => {
  const build = await push('purchase_predict', (directory) =>
    edit(join(directory, 'src/environment.test.ts'), (text) => `${text}\ntest('a claim that does not hold', () => assert.fail())\n`),
  )
  assert.equal(build.status, 'FAILURE')
  assert.deepEqual(
    build.steps.map((step) => step.status),
    ['FAILURE', 'QUEUED', 'QUEUED'],
  )
  assert.match(build.statusDetail ?? '', /build step 0 .* failed: step exited with non-zero status: 1/)
})

test('a model below the gate gets no stage, its build says which bound it missed, and the old revision keeps serving', async () => {
  const [before, stagedBefore] = [await serving(), await staged()]
  const build = await push('purchase_predict', async (directory) => {
    await edit(join(directory, 'conf/base/parameters.yml'), (text) => text.replace('GATE_MIN_AUC,0.6', 'GATE_MIN_AUC,0.999'))
  })
  assert.deepEqual(
    build.steps.map((step) => step.status),
    ['SUCCESS', 'FAILURE', 'QUEUED'],
  )
  const log = await fetch(`${result.endpoint}/v1/projects/daggerboard/builds/${build.id}/log`, {
    headers: { authorization: `Basic ${Buffer.from(RunningPlatform.login).toString('base64')}` },
  })
  assert.match(await log.text(), /auc .*0\.999/i)
  assert.deepEqual(await staged(), stagedBefore)
  assert.deepEqual(await serving(), before)
})

test('an API that never becomes ready fails its deploy step with what to do, and the old revision keeps serving', async () => {
  const before = await serving()
  const build = await push('purchase_predict_api', (directory) =>
    edit(join(directory, 'src/main.ts'), (text) => `throw new Error('this revision cannot start')\n${text}`),
  )
  assert.equal(build.status, 'FAILURE')
  assert.deepEqual(
    build.steps.map((step) => step.status),
    ['SUCCESS', 'SUCCESS', 'SUCCESS', 'FAILURE'],
  )
  assert.deepEqual(await serving(), before)
})

test('a second start in the same home serves the same revision at the same path, and keeps the refreshes', async () => {
  events.close()
  assert.equal(await platform.stop(), 0)
  platform = await RunningPlatform.start(['start'], { home: platform.home })
  const line = await platform.line((each) => /http:\/\/127\.0\.0\.1:\d+/.test(each))
  const endpoint = /http:\/\/127\.0\.0\.1:\d+/.exec(line)?.[0] ?? ''
  client = await platform.client(endpoint)
  const { refreshes } = await client.get<{ refreshes: { state: string }[] }>('/api/v1/refreshes')
  assert.ok(refreshes.some((refresh) => refresh.state === 'success'))
  // Its revision may still be starting. Listen first and look then, so that its end cannot be missed.
  events = await LiveEvents.open(client)
  const settled = events.until(
    'revision.changed',
    ({ service, state }) => service === result.service.name && /ready|failed/.test(String(state)),
  )
  const health = () => fetch(`${endpoint}/services/${result.service.name}/health`)
  const isReady = (await health()).ok || (await settled).state === 'ready'
  assert.ok(isReady && (await health()).ok, platform.output)
})
