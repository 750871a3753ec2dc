import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type AppAnswer, answeringApp, PARENT, RunningServices, template } from '../../../test/running-services.ts'

let platform: RunningServices

before(async () => {
  platform = await RunningServices.start({ unpackedRevisions: 1 })
  await platform.push('v1', answeringApp('one'))
  await platform.push('v2', answeringApp('two'))
  await platform.push('broken', `console.error('Error: model not found'); setTimeout(() => process.exit(3), 50)`)
})

after(() => platform.stop())

const ask = async (name: string, path = '/'): Promise<AppAnswer> =>
  (await (await platform.call(`/services/${name}${path}`)).json()) as AppAnswer

test("Google's own client deploys a service; its process gets the contract's environment and nothing of the platform's", async () => {
  process.env.PLATFORM_SECRET = 'keep me'
  const [operation] = await platform.client.createService({
    parent: PARENT,
    serviceId: 'api',
    service: { template: { ...template('v1'), labels: { 'model-version': '7' } } },
  })
  const [service] = await operation.promise()
  assert.equal(service.uri, `${platform.endpoint}/services/api`)
  // The client leaves enumerations inside of an operation as numbers.
  assert.equal(service.terminalCondition?.state, 4)
  assert.deepEqual(service.template?.labels, { 'model-version': '7' })
  const answer = await ask('api', '/predict?x=1')
  assert.deepEqual([answer.version, answer.path, answer.greeting, answer.tracking], ['one', '/predict?x=1', 'hello', platform.endpoint])
  assert.equal(answer.revision, service.latestReadyRevision?.split('/').at(-1))
  assert.equal(answer.secret, undefined)
  const [revision] = await platform.revisionsClient.getRevision({ name: service.latestReadyRevision ?? '' })
  assert.match(revision.containers?.[0]?.image ?? '', /^gcr\.io\/shop\/api@sha256:/)
  const [list] = await platform.client.listServices({ parent: PARENT })
  assert.deepEqual(
    list.map(({ name }) => name),
    [`${PARENT}/services/api`],
  )
  const states = platform.told.flatMap((event) => (event.type === 'revision.changed' ? [`${event.facts.state} by ${event.by}`] : []))
  assert.deepEqual(states, ['deploying by build:9', 'ready by build:9'])
  const traffic = platform.told.flatMap((event) => (event.type === 'traffic.changed' ? [event.facts] : []))
  assert.deepEqual(traffic, [{ service: 'api', revision: answer.revision, percent: 100, url: service.uri }])
})

const TO_LATEST = { type: 'TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST', percent: 100 } as const
const pinnedTo = (revision: string) => ({ type: 'TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION', revision, percent: 100 }) as const

/** Sends the traffic of the service there, and answers who has it then. */
async function route(name: string, target: typeof TO_LATEST | ReturnType<typeof pinnedTo>) {
  const service = { name: `${PARENT}/services/${name}`, traffic: [target] }
  const [operation] = await platform.client.updateService({ service, updateMask: { paths: ['traffic'] } })
  const [{ trafficStatuses }] = await operation.promise()
  return trafficStatuses?.map(({ revision, percent }) => [revision, percent])
}

const statesOf = (revision: string, since: number) =>
  platform.told
    .slice(since)
    .flatMap((event) => (event.type === 'revision.changed' && event.facts.revision === revision ? [event.facts.state] : []))

test('a rollback starts the old revision again, waits until it is ready and sends the traffic back, at the same address', async () => {
  await platform.deploy('rolled', 'v1')
  const first = (await ask('rolled')).revision
  await platform.deploy('rolled', 'v2')
  const second = await ask('rolled')
  assert.equal(second.version, 'two')
  await platform.reached(first, 'retired')
  const since = platform.told.length
  assert.deepEqual(await route('rolled', pinnedTo(first)), [[first, 100]])
  const answer = await ask('rolled')
  assert.deepEqual([answer.version, answer.revision], ['one', first])
  await platform.reached(second.revision, 'retired', since)
  assert.deepEqual(
    [statesOf(first, since), statesOf(second.revision, since)],
    [
      ['deploying', 'ready'],
      ['draining', 'retired'],
    ],
  )
})

test('after a rollback a deployment is tried and leaves the traffic pinned, as on Cloud Run, until it is sent to the latest', async () => {
  await platform.deploy('pinned', 'v1')
  const first = (await ask('pinned')).revision
  await platform.deploy('pinned', 'v2')
  await route('pinned', pinnedTo(first))
  const [deployed] = await platform.deploy('pinned', 'v2', { env: [{ name: 'GREETING', value: 'again' }] })
  const newest = deployed.latestCreatedRevision?.split('/').at(-1) ?? ''
  assert.equal(deployed.latestReadyRevision, deployed.latestCreatedRevision, 'it has been ready')
  assert.equal((await ask('pinned')).revision, first)
  assert.deepEqual(await route('pinned', TO_LATEST), [[newest, 100]])
  assert.deepEqual([(await ask('pinned')).revision, (await ask('pinned')).greeting], [newest, 'again'])
  await platform.deploy('pinned', 'v1')
  assert.equal((await ask('pinned')).version, 'one', 'and from then on each deployment takes over')
})

test('a revision that is wanted again while it stops is started once it has stopped', async () => {
  const endsAtOnce = (version: string) => answeringApp(version).replace('server.close(() => process.exit(0))', 'process.exit(0)')
  await platform.push('quick', endsAtOnce('quick'))
  await platform.push('quicker', endsAtOnce('quicker'))
  const deployed = [await platform.deploy('torn', 'quick'), await platform.deploy('torn', 'quicker')]
  const names = deployed.map(([service]) => service.latestCreatedRevision?.split('/').at(-1) ?? '')
  for (let i = 0; i < 8; i++) await route('torn', pinnedTo(names[i % 2] ?? ''))
  assert.equal((await ask('torn')).revision, names[1])
})

test('stopped revisions beyond the newest ones keep no files; a rollback to one fetches them again', async () => {
  const names: string[] = []
  for (const tag of ['v1', 'v2', 'v1', 'v2']) {
    await platform.deploy('growing', tag)
    names.push((await ask('growing')).revision)
    const before = names.at(-2)
    if (before) await platform.reached(before, 'retired')
  }
  const unpacked = () => names.map((name) => existsSync(join(platform.home, 'revisions', name)))
  while (unpacked()[1]) await new Promise(setImmediate)
  assert.deepEqual(unpacked(), [false, false, true, true])
  assert.deepEqual(await route('growing', pinnedTo(names[0] ?? '')), [[names[0], 100]])
  assert.equal((await ask('growing')).version, 'one')
})

test('a revision that never becomes ready leaves the old one serving, and says why with the last lines of its log', async () => {
  await platform.deploy('guarded', 'v1')
  await assert.rejects(platform.deploy('guarded', 'broken'), /not ready[\s\S]*exit status 3[\s\S]*model not found/)
  assert.equal((await ask('guarded')).version, 'one')
  const [service] = await platform.client.getService({ name: `${PARENT}/services/guarded` })
  assert.equal(service.terminalCondition?.state, 'CONDITION_FAILED')
  assert.notEqual(service.latestCreatedRevision, service.latestReadyRevision)
  const log = await platform.call(`/v2/${service.latestCreatedRevision}/log`, { headers: { range: 'bytes=0-' } })
  assert.deepEqual([log.status, log.headers.get('content-type')], [206, 'text/plain; charset=utf-8'])
  const text = await log.text()
  assert.match(text, /model not found/)
  const bytesFrom = (first: number) => platform.call(`/v2/${service.latestCreatedRevision}/log`, { headers: { range: `bytes=${first}-` } })
  assert.equal((await bytesFrom(Buffer.byteLength(text))).status, 416, 'nothing new')
  const anew = await bytesFrom(Buffer.byteLength(text) + 1)
  assert.deepEqual([anew.status, await anew.text()], [200, text], 'a log that is shorter than what was read of it has been begun anew')
  await platform.deploy('guarded', 'v2')
  assert.equal((await ask('guarded')).version, 'two', 'the next good one takes over')
})

test('a revision that does not listen in time is stopped', async () => {
  await platform.push('deaf', 'setInterval(() => {}, 1000)')
  const startupProbe = { httpGet: { path: '/health' }, failureThreshold: 1, periodSeconds: 1 }
  await assert.rejects(platform.deploy('deaf', 'deaf', { startupProbe }), /GET \/health did not answer with a status below 400 within 1 s/)
})

test('a revision of another MLflow server gets that address, and no token of ours', async () => {
  await platform.push(
    'tracked',
    answeringApp('tracked').replace('secret: process.env.PLATFORM_SECRET', 'secret: process.env.MLFLOW_TRACKING_TOKEN'),
  )
  await platform.deploy('tracked', 'tracked', { env: [{ name: 'MLFLOW_TRACKING_URI', value: 'https://mlflow.example.com' }] })
  const { tracking, secret } = await ask('tracked')
  assert.deepEqual([tracking, secret], ['https://mlflow.example.com', undefined])
  await platform.deploy('tracked', 'tracked')
  assert.match((await ask('tracked')).secret ?? '', /^eyJ/)
})

test('after a restart of the platform the revision that had traffic serves again at the same address', async () => {
  await platform.deploy('lasting', 'v1')
  const before = await ask('lasting')
  await platform.restart()
  let answer: Response
  do answer = await platform.call('/services/lasting/')
  while (answer.status === 503)
  assert.equal(((await answer.json()) as AppAnswer).revision, before.revision)
})

test('what cannot be deployed is refused with all its problems', async () => {
  const refused = await platform.call(`/v2/${PARENT}/services?serviceId=Bad_Name`, {
    method: 'POST',
    body: JSON.stringify({ template: { ...template('v1', { env: [{ name: 'PORT', value: '1' }] }), timeout: '9999s' } }),
  })
  assert.equal(refused.status, 400)
  const { error } = (await refused.json()) as { error: { message: string } }
  for (const part of [/Bad_Name/, /PORT is set by the platform/, /9999 s/]) assert.match(error.message, part)
  await assert.rejects(platform.deploy('nothing', 'no-such-tag'), /not in the registry/)
  await assert.rejects(platform.client.getService({ name: `${PARENT}/services/apu` }), /Did you mean "api"/)
})

test('a deleted service is gone with its revisions', async () => {
  await platform.deploy('passing', 'v1')
  const [operation] = await platform.client.deleteService({ name: `${PARENT}/services/passing` })
  await operation.promise()
  assert.equal((await platform.call('/services/passing/')).status, 404)
})
