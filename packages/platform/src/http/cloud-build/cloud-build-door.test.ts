import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { CloudBuildClient, protos } from '@google-cloud/cloudbuild'
import { OAuth2Client } from 'google-auth-library'
import { BuildPlatform, PROJECT } from '../../../test/build-platform.ts'

let platform: BuildPlatform
let client: CloudBuildClient
let token: string
let folder: string

/** Google's own client against our endpoint; its credentials are a bearer token. */
function clientFor(endpoint: string, accessToken: string): CloudBuildClient {
  const { hostname, port } = new URL(endpoint)
  const authClient = new OAuth2Client()
  authClient.setCredentials({ access_token: accessToken })
  return new CloudBuildClient({
    apiEndpoint: hostname,
    port: Number(port),
    protocol: 'http',
    fallback: true,
    projectId: PROJECT,
    authClient,
  } as ConstructorParameters<typeof CloudBuildClient>[0])
}

const step = (script: string) => ({ name: 'bash', args: ['-c', script] })

before(async () => {
  platform = await BuildPlatform.start()
  token = await platform.token()
  client = clientFor(platform.endpoint, token)
  folder = await mkdtemp(join(tmpdir(), 'seed-'))
  await writeFile(join(folder, 'cloudbuild.yaml'), 'steps:\n- name: bash\n  id: show\n  args: ["-c", "echo $BRANCH_NAME $_FOLDER"]\n')
  await platform.pushes.seedRepository({
    name: 'model',
    directory: folder,
    branches: ['staging', 'master'],
    author: 'Ada <ada@example.com>',
  })
})

after(async () => {
  await client.close()
  await platform.stop()
  await rm(folder, { recursive: true })
})

const get = async (path: string, headers: Record<string, string> = {}) =>
  fetch(`${platform.endpoint}${path}`, { headers: { authorization: `Bearer ${token}`, ...headers } })

test('Google’s client creates a build and waits for its operation', async () => {
  const [operation] = await client.createBuild({
    projectId: PROJECT,
    build: { steps: [step('echo hello')], timeout: { seconds: 60 }, tags: ['nightly'] },
  })
  const [build] = await operation.promise()
  assert.equal(build.status, protos.google.devtools.cloudbuild.v1.Build.Status.SUCCESS)
  assert.equal(build.steps?.[0]?.status, protos.google.devtools.cloudbuild.v1.Build.Status.SUCCESS)
  assert.equal(String(build.timeout?.seconds), '60')
  const [again] = await client.getBuild({ projectId: PROJECT, id: build.id ?? '' })
  assert.deepEqual([again.status, again.logsBucket], ['SUCCESS', `gs://${PROJECT}_cloudbuild`])
})

test('an operation of a build that fails rejects with the build’s own words', async () => {
  const [operation] = await client.createBuild({ projectId: PROJECT, build: { steps: [step('exit 2')] } })
  await assert.rejects(operation.promise(), /Build step failure: build step 0 "bash" failed: step exited with non-zero status: 2/)
})

test('Google’s client makes a trigger, runs it with a branch and substitutions, and deletes it', async () => {
  const [trigger] = await client.createBuildTrigger({
    projectId: PROJECT,
    trigger: { name: 'build-model-staging', triggerTemplate: { repoName: 'model', branchName: '^staging$' }, filename: 'cloudbuild.yaml' },
  })
  const [operation] = await client.runBuildTrigger({
    projectId: PROJECT,
    triggerId: 'build-model-staging',
    source: { branchName: 'staging', substitutions: { _FOLDER: 'gs://shop-data/x' } },
  })
  const [build] = await operation.promise()
  assert.equal(build.buildTriggerId, trigger.id)
  assert.equal(build.substitutions?.BRANCH_NAME, 'staging')
  assert.match(build.sourceProvenance?.resolvedRepoSource?.commitSha ?? '', /^[0-9a-f]{40}$/)
  assert.match((await platform.finished(build.id ?? '')).log, /\nstaging gs:\/\/shop-data\/x\n/)
  const [triggers] = await client.listBuildTriggers({ projectId: PROJECT })
  assert.deepEqual(
    triggers.map(({ name }) => name),
    ['build-model-staging'],
  )
  const [patched] = await client.updateBuildTrigger({
    projectId: PROJECT,
    triggerId: trigger.id ?? '',
    trigger: { name: 'build-model-staging', triggerTemplate: { repoName: 'model', branchName: '^master$' }, disabled: true },
  })
  assert.equal(patched.disabled, true)
  await assert.rejects(client.runBuildTrigger({ projectId: PROJECT, triggerId: trigger.id ?? '' }), /is disabled/)
  await client.deleteBuildTrigger({ projectId: PROJECT, triggerId: trigger.id ?? '' })
  await assert.rejects(client.getBuildTrigger({ projectId: PROJECT, triggerId: 'build-model-staging' }), /There is no trigger/)
})

test('Google’s client cancels a build that runs; step states can be seen while it does', async () => {
  const [operation] = await client.createBuild({ projectId: PROJECT, build: { steps: [step('sleep 60'), step('true')] } })
  const id = (operation.metadata as { build?: { id?: string } } | null)?.build?.id ?? ''
  await platform.buildTold(({ facts }) => facts.buildId === id && facts.steps[0]?.status === 'WORKING')
  const [running] = await client.getBuild({ projectId: PROJECT, id })
  assert.deepEqual(
    running.steps?.map(({ status }) => status),
    ['WORKING', 'QUEUED'],
  )
  const [cancelled] = await client.cancelBuild({ projectId: PROJECT, id })
  assert.equal(cancelled.status, 'CANCELLED')
  await assert.rejects(operation.promise(), /Build was cancelled/)
})

test('a retry is a new build of the same steps', async () => {
  const { build } = await platform.run({ steps: [step('exit 1')] })
  const [operation] = await client.retryBuild({ projectId: PROJECT, id: build.id })
  await assert.rejects(operation.promise(), /non-zero status: 1/)
})

test('builds are listed newest first, by pages, and by filter', async () => {
  const first = (await (await get(`/v1/projects/${PROJECT}/locations/global/builds?pageSize=2`)).json()) as {
    builds: { id: string }[]
    nextPageToken: string
  }
  const second = (await (await get(`/v1/projects/${PROJECT}/builds?pageSize=2&pageToken=${first.nextPageToken}`)).json()) as {
    builds: { id: string }[]
  }
  assert.equal(new Set([...first.builds, ...second.builds].map(({ id }) => id)).size, 4)
  const [tagged] = await client.listBuilds({ projectId: PROJECT, filter: 'status="SUCCESS" AND tags="nightly"' })
  assert.deepEqual(
    tagged.map(({ tags }) => tags),
    [['nightly']],
  )
  const wrong = await get(`/v1/projects/${PROJECT}/builds?filter=${encodeURIComponent('state="SUCCESS"')}`)
  assert.equal(wrong.status, 400)
  assert.match(
    ((await wrong.json()) as { error: { message: string } }).error.message,
    /cannot be filtered by "state"\. Did you mean "status"\?/,
  )
})

test('a request with several mistakes is refused with all of them, in Google’s shape', async () => {
  const response = await fetch(`${platform.endpoint}/v1/projects/${PROJECT}/builds`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    body: JSON.stringify({ steps: [{ nam: 'bash' }], timeout: 'x' }),
  })
  const { error } = (await response.json()) as { error: { code: number; status: string; message: string } }
  assert.deepEqual([response.status, error.code, error.status], [400, 400, 'INVALID_ARGUMENT'])
  assert.match(error.message, /steps\[0\]\.nam: "nam" is not a field of a step\. Did you mean "name"\?/)
  assert.match(error.message, /timeout: "x" is not a duration/)
})

test('the log is answered whole, by range, and as it comes', async () => {
  const { id } = await platform.builds.create(
    { steps: [step('echo one; while [ ! -e go ]; do sleep 0.02; done; echo two')] },
    { projectId: PROJECT, location: 'global', by: 'user:ada' },
  )
  const path = `/v1/projects/${PROJECT}/builds/${id}/log`
  const following = await get(`${path}?follow=true`)
  let seen = ''
  for await (const chunk of following.body ?? []) {
    seen += Buffer.from(chunk).toString('utf8')
    if (seen.includes('\none\n') && !seen.includes('\ntwo\n')) await writeFile(join(platform.home, 'builds', id, 'workspace', 'go'), '')
  }
  const whole = await (await get(path)).text()
  assert.equal(seen, whole)
  assert.match(whole, /\ntwo\nDONE\n$/)
  const part = await get(path, { range: 'bytes=9-13' })
  assert.deepEqual([part.status, await part.text(), part.headers.get('content-range')], [206, 'build', `bytes 9-13/${whole.length}`])
  assert.equal((await get(path, { range: `bytes=${whole.length}-` })).status, 416)
})

test('strangers and viewers cannot start builds', async () => {
  const post = (headers: Record<string, string>) =>
    fetch(`${platform.endpoint}/v1/projects/${PROJECT}/builds`, {
      method: 'POST',
      headers,
      body: JSON.stringify({ steps: [step('true')] }),
    })
  assert.equal((await post({})).status, 401)
  assert.equal((await post({ authorization: `Bearer ${await platform.token('user:eve', ['builds.read'])}` })).status, 403)
})
