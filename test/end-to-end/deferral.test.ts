/** Tasks that wait for jobs and builds of another system: without a worker, through the end of their platform, and never longer than they are wanted. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as rest } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { PlatformClient } from '../../packages/platform/src/cli/client.ts'
import { RunningPlatform } from './running-platform.ts'

const POLL_MS = 100
const REGION = '/v1/projects/daggerboard/regions/us-central1'
const BUILDS = '/v1/projects/daggerboard/builds'
const MANY = 200
const FOREVER = 'SELECT count(*) FROM range(100000000) a, range(100000) b'

interface Job {
  readonly reference: { readonly jobId: string }
  readonly status: { readonly state: string }
}

interface Run {
  readonly dag_run_id: string
  readonly state: string
}

const dagFile = (gate: string): string => `
import { dag } from '@daggerboard/dag'
import { createBuild, submitJob } from '@daggerboard/google'

const job = (more) => submitJob({ job: { placement: { clusterName: 'far' }, sparkSqlJob: { queryList: { queries: ['SELECT 1'] } } }, ...more })
const script = 'until [ -e ${gate} ]; do sleep 0.1; done'

export const waiting = dag('waiting', {}, ({ task }) => {
  task('job', job())
  task('build', createBuild({ build: { steps: [{ name: 'bash', args: ['-c', script] }] } }))
})
export const holding = dag('holding', {}, ({ task }) => {
  task('job', job({ deferrable: false }))
  task('build', createBuild({ build: { steps: [{ name: 'bash', args: ['-c', script] }] }, deferrable: false }))
})
export const many = dag('many', { maxActiveTasks: 16 }, ({ task }) => {
  for (let i = 0; i < ${MANY}; i++) task('job' + i, job())
})
`

let folder: string
let far: RunningPlatform
let system: PlatformClient
let near: RunningPlatform
let client: PlatformClient
let environment: Record<string, string>

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'daggerboard-deferral-'))
  const [dags, none] = [join(folder, 'dags'), join(folder, 'none')]
  for (const path of [dags, none]) await mkdir(path)
  await writeFile(join(dags, 'far.ts'), dagFile(join(folder, 'gate')))
  const own = { DAGGERBOARD_LOAD_EXAMPLES: 'false', DAGGERBOARD__CORE__DAGS_ARE_PAUSED_AT_CREATION: 'false' }
  far = await RunningPlatform.start(['start'], { environment: { ...own, DAGGERBOARD_DAGS_FOLDER: none } })
  const endpoint = await far.endpoint()
  system = await far.client(endpoint)
  const extra = { endpoint, project: 'daggerboard', region: 'us-central1' }
  const connection = { conn_type: 'google_cloud_platform', password: await far.token(endpoint), extra }
  environment = { ...own, DAGGERBOARD_DAGS_FOLDER: dags, AIRFLOW_CONN_GOOGLE_CLOUD_DEFAULT: JSON.stringify(connection) }
  near = await RunningPlatform.start(['start'], { environment })
  client = await near.client(await near.endpoint())
  await system.post(`${REGION}/clusters`, { clusterName: 'far', config: {} })
  await until(async () => (await system.get<{ status: { state: string } }>(`${REGION}/clusters/far`)).status.state === 'RUNNING')
})

after(async () => {
  await near?.remove()
  await far?.remove()
  await rm(folder, { recursive: true, force: true })
})

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await rest(POLL_MS)
}

const jobs = async (): Promise<Job[]> => (await system.get<{ jobs?: Job[] }>(`${REGION}/jobs`)).jobs ?? []
const stateOfJob = async (id: string) => (await system.get<Job>(`${REGION}/jobs/${id}`)).status.state
const builds = async () => (await system.get<{ builds?: { id: string; status: string }[] }>(BUILDS)).builds ?? []

/** A cluster runs one job after the other: as long as this one runs, all that come after it wait. */
async function block(): Promise<() => Promise<void>> {
  const job = { placement: { clusterName: 'far' }, sparkSqlJob: { queryList: { queries: [FOREVER] } } }
  const { jobId } = (await system.post<Job>(`${REGION}/jobs:submit`, { job })).reference
  return async () => {
    await system.post(`${REGION}/jobs/${jobId}:cancel`, {})
    await until(async () => (await stateOfJob(jobId)) === 'CANCELLED')
  }
}

const trigger = async (dagId: string): Promise<string> => {
  await until(() =>
    client.get(`/api/v2/dags/${dagId}`).then(
      () => true,
      () => false,
    ),
  )
  return (await client.post<Run>(`/api/v2/dags/${dagId}/dagRuns`, { logical_date: null })).dag_run_id
}
const states = async (dagId: string, runId: string) => {
  const path = `/api/v2/dags/${dagId}/dagRuns/${runId}/taskInstances?limit=1000`
  const { task_instances: tasks } = await client.get<{ task_instances: { task_id: string; state: string; try_number: number }[] }>(path)
  return tasks.map(({ state, try_number: tries }) => `${state} ${tries}`)
}
const allAre = (dagId: string, runId: string, state: string) =>
  until(async () => (await states(dagId, runId)).every((each) => each === state))

/** The processes of the platform that wait for deferred tasks. */
async function waitingProcesses(): Promise<number> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'ppid=,args='])
  return stdout.split('\n').filter((line) => Number.parseInt(line, 10) === near.pid && /worker\.ts (?!1 )\d+/.test(line)).length
}

test('a platform that is killed while a job and a build are waited for goes on waiting, and each of them ran once', async () => {
  const unblock = await block()
  const [jobsBefore, buildsBefore] = [await jobs(), await builds()]
  const runId = await trigger('waiting')
  await allAre('waiting', runId, 'deferred 1')
  await near.kill()
  near = await RunningPlatform.start(['start'], { home: near.home, environment })
  client = await near.client(await near.endpoint())
  assert.deepEqual(await states('waiting', runId), ['deferred 1', 'deferred 1'])
  await unblock()
  await writeFile(join(folder, 'gate'), '')
  await allAre('waiting', runId, 'success 1')
  await rm(join(folder, 'gate'))
  assert.equal((await jobs()).length, jobsBefore.length + 1)
  assert.equal((await builds()).length, buildsBefore.length + 1)
})

test('marking a run as failed cancels the job and the build that its deferred tasks wait for', async () => {
  const unblock = await block()
  const [jobsBefore, buildsBefore] = [await jobs(), await builds()]
  const runId = await trigger('waiting')
  await allAre('waiting', runId, 'deferred 1')
  await client.patch(`/api/v2/dags/waiting/dagRuns/${runId}`, { state: 'failed' })
  const isNewJob = ({ reference: { jobId } }: Job) => !jobsBefore.some(({ reference }) => reference.jobId === jobId)
  await until(async () =>
    (await builds()).filter(({ id }) => !buildsBefore.some((one) => one.id === id)).every(({ status }) => status === 'CANCELLED'),
  )
  await until(async () => (await jobs()).filter(isNewJob).every(({ status }) => /^CANCEL/.test(status.state)))
  await unblock()
  await until(async () => (await jobs()).filter(isNewJob).every(({ status }) => status.state === 'CANCELLED'))
})

/** Once both are begun over there: by then a worker waits for each. */
async function heldByWorkers(): Promise<{
  runId: string
  ownJobs: () => Promise<Job[]>
  ownBuilds: () => Promise<{ id: string; status: string }[]>
}> {
  const [jobsBefore, buildsBefore] = [await jobs(), await builds()]
  const ownJobs = async () => (await jobs()).filter(({ reference }) => !jobsBefore.some((one) => one.reference.jobId === reference.jobId))
  const ownBuilds = async () => (await builds()).filter(({ id }) => !buildsBefore.some((one) => one.id === id))
  const runId = await trigger('holding')
  await until(async () => (await ownJobs()).length === 1 && (await ownBuilds()).length === 1)
  const hasId = async (task: string, key: string) =>
    client.get(`/api/v2/dags/holding/dagRuns/${runId}/taskInstances/${task}/xcomEntries/${key}`).then(
      () => true,
      () => false,
    )
  await until(async () => (await hasId('build', 'id')) && (await hasId('job', 'job_id')))
  return { runId, ownJobs, ownBuilds }
}

async function killAndStart(): Promise<void> {
  await near.kill()
  near = await RunningPlatform.start(['start'], { home: near.home, environment })
  client = await near.client(await near.endpoint())
}

test('a platform that is killed while its workers wait for a job and a build joins both with the next try', async () => {
  const unblock = await block()
  const { runId, ownJobs, ownBuilds } = await heldByWorkers()
  await killAndStart()
  await allAre('holding', runId, 'running 2')
  await unblock()
  await writeFile(join(folder, 'gate'), '')
  await allAre('holding', runId, 'success 2')
  await rm(join(folder, 'gate'))
  assert.deepEqual([(await ownJobs()).length, (await ownBuilds()).length], [1, 1])
})

test('what a try has begun elsewhere before its platform was killed is cancelled when no other try comes', async () => {
  const unblock = await block()
  const { runId, ownJobs, ownBuilds } = await heldByWorkers()
  await client.patch('/api/v2/dags/holding', { is_paused: true })
  await killAndStart()
  assert.deepEqual(await states('holding', runId), ['scheduled 1', 'scheduled 1'])
  await client.patch(`/api/v2/dags/holding/dagRuns/${runId}`, { state: 'failed' })
  await until(async () => (await ownBuilds()).every(({ status }) => status === 'CANCELLED'))
  await until(async () => (await ownJobs()).every(({ status }) => /^CANCEL/.test(status.state)))
  await unblock()
  assert.deepEqual([(await ownJobs()).length, (await ownBuilds()).length], [1, 1])
})

test(`${MANY} tasks that wait cost one process, and each goes on`, async () => {
  const unblock = await block()
  const runId = await trigger('many')
  await allAre('many', runId, 'deferred 1')
  assert.equal(await waitingProcesses(), 1)
  await unblock()
  await allAre('many', runId, 'success 1')
})
