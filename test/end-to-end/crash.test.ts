import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { PlatformClient } from '../../packages/platform/src/cli/client.ts'
import { type Facts, LiveEvents } from './live-events.ts'
import { RunningPlatform } from './running-platform.ts'

const DAG = '/api/v2/dags/pipeline_ml_staging'

let first: RunningPlatform
let second: RunningPlatform
let client: PlatformClient
let runId: string

interface Build {
  readonly id: string
  readonly status: string
  readonly statusDetail?: string
}

const isTraining = ({ steps }: Facts) =>
  (steps as { id: string; status: string }[]).some(({ id, status }) => id === 'train' && status === 'WORKING')

before(async () => {
  first = await RunningPlatform.start(['demo', '--size', '300000'])
  const up = await first.line((line) => line.includes('The platform is up at'))
  client = await first.client(/http:\S+/.exec(up)?.[0] ?? '')
  await first.line((line) => line.includes('data interval'))
  const events = await LiveEvents.open(client)
  const training = events.until('build.changed', isTraining)
  await training
  events.close()
  const { dag_runs: runs } = await client.get<{ dag_runs: { dag_run_id: string }[] }>(`${DAG}/dagRuns`)
  runId = runs[0]?.dag_run_id ?? ''
  await first.kill()
  second = await RunningPlatform.start(['start'], { home: first.home })
  client = await second.client(await second.endpoint())
})

after(async () => {
  await second?.stop()
  await first?.remove()
})

test('a platform that is killed in the middle of a training takes its refresh up again and brings it to traffic', async () => {
  const events = await LiveEvents.open(client)
  const ended = events.until('dag_run.changed', (facts) => facts.runId === runId && /success|failed/.test(String(facts.state)))
  const { state: now } = await client.get<{ state: string }>(`${DAG}/dagRuns/${runId}`)
  assert.equal(now === 'running' ? (await ended).state : now, 'success', second.output)
  events.close()
  const health = await client.get<{ status: string }>('/services/purchase-predict-api-staging/health')
  assert.equal(health.status, 'ok')
})

test('what it had promised is there: the run once, its build ended with a reason, and no cluster left', async () => {
  const { dag_runs: runs } = await client.get<{ dag_runs: { dag_run_id: string; state: string }[] }>(`${DAG}/dagRuns`)
  assert.deepEqual(
    runs.map((run) => [run.dag_run_id, run.state]),
    [[runId, 'success']],
  )
  const { builds } = await client.get<{ builds: Build[] }>('/v1/projects/daggerboard/builds')
  const lost = builds.filter((build) => build.status === 'INTERNAL_ERROR')
  assert.equal(lost.length, 1)
  assert.match(lost[0]?.statusDetail ?? '', /platform went down/)
  assert.equal(builds.filter((build) => build.status === 'SUCCESS').length, 2)
  const { clusters = [] } = await client.get<{ clusters?: unknown[] }>('/v1/projects/daggerboard/regions/us-central1/clusters')
  assert.deepEqual(clusters, [])
})
