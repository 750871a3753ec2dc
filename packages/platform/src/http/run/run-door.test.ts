import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { RevisionsClient, ServicesClient } from '@google-cloud/run'
import { Tokens } from '../../accounts/token.ts'
import { BlobFiles } from '../../adapters/filesystem/blob.ts'
import { packLayer } from '../../adapters/process/image/layer.ts'
import { RegistryClient } from '../../adapters/process/image/registry-client.ts'
import { ProcessRevisions } from '../../adapters/process/revision.ts'
import { Endpoint } from '../../adapters/process/tools/endpoint.ts'
import { SqliteBlobStore } from '../../adapters/sqlite/blob.ts'
import { Database } from '../../adapters/sqlite/database.ts'
import { SqliteManifestStore } from '../../adapters/sqlite/manifest.ts'
import { SqliteRevisionStore } from '../../adapters/sqlite/revision.ts'
import { SqliteServiceStore } from '../../adapters/sqlite/service.ts'
import { SqliteTagStore } from '../../adapters/sqlite/tag.ts'
import { Server } from '../../composition/server.ts'
import { systemClock } from '../../core/clock.ts'
import { type DomainEvent, Events } from '../../core/events.ts'
import { silentLogger } from '../../core/logger.ts'
import { principal } from '../../core/principal.ts'
import { digestOf } from '../../images/digest.ts'
import { IMAGE_MANIFEST } from '../../images/manifest.ts'
import { Registry } from '../../images/registry.ts'
import { Fleet } from '../../services/fleet.ts'
import { Services } from '../../services/services.ts'
import { ingressDoor } from '../ingress.ts'
import { ociDoor } from '../oci/oci-door.ts'
import { runDoor } from './run-door.ts'

const PARENT = 'projects/shop/locations/us-central1'

const told: DomainEvent[] = []
const server = new Server()
const tokens = new Tokens(randomBytes(32), systemClock)
let home: string
let endpoint: string
let services: Services
let stop: () => Promise<void>
let token: string
let client: ServicesClient
let revisionsClient: RevisionsClient

/** The platform as it is after a start; called again it is a restart, over the same home and store. */
let start: () => Promise<void>

before(async () => {
  home = await mkdtemp(join(tmpdir(), 'run-'))
  endpoint = await server.listen(0)
  const db = new Database(':memory:')
  start = async () => {
    const events = new Events(systemClock)
    events.subscribe((event) => told.push(event))
    const registry = new Registry({
      blobs: new SqliteBlobStore(db),
      data: new BlobFiles(join(home, 'blobs')),
      manifests: new SqliteManifestStore(db),
      tags: new SqliteTagStore(db),
      events,
      clock: systemClock,
    })
    const driver = new ProcessRevisions({ home: join(home, 'revisions'), endpoint, tokens, clock: systemClock })
    const revisions = new SqliteRevisionStore(db)
    const fleet = new Fleet({ driver, revisions, tokens, endpoint, events, clock: systemClock, logger: silentLogger })
    const store = new SqliteServiceStore(db)
    services = new Services({ store, revisions, driver, fleet, endpoint, events, clock: systemClock })
    server.open({ byToken: (text) => tokens.verify(text), byPassword: () => Promise.reject(new Error('no passwords')) }, [
      ingressDoor({ services }),
      ociDoor({ registry }),
      runDoor({ services }),
    ])
    await services.start()
    stop = () => services.stop()
  }
  await start()
  token = await tokens.issue(
    principal('build:9', ['services.read', 'services.write', 'services.invoke', 'images.read', 'images.write']),
    600,
  )
  const port = Number(new URL(endpoint).port)
  // What the client asks of its credentials: to send a request with them.
  const auth = {
    fetch: (url: string, init: RequestInit = {}) =>
      fetch(url, { ...init, headers: { ...Object.fromEntries(new Headers(init.headers)), authorization: `Bearer ${token}` } }),
    getRequestHeaders: async () => new Headers({ authorization: `Bearer ${token}` }),
    getUniverseDomain: async () => 'googleapis.com',
  }
  const options = { fallback: true, protocol: 'http', apiEndpoint: '127.0.0.1', port, projectId: 'shop', auth }
  client = new ServicesClient(options as never)
  revisionsClient = new RevisionsClient(options as never)
  await pushApp('v1', app('one'))
  await pushApp('v2', app('two'))
  await pushApp('broken', `console.error('Error: model not found'); setTimeout(() => process.exit(3), 50)`)
})

after(async () => {
  await stop()
  await server.close()
  await rm(home, { recursive: true, force: true })
})

/** Answers its version after a moment, as a model would. */
const app = (version: string) => `
import { createServer } from 'node:http'
const server = createServer((request, response) => {
  setTimeout(() => {
    response.setHeader('set-cookie', 'session=stolen')
    if (request.method === 'POST') return request.pipe(response)
    response.end(JSON.stringify({ version: '${version}', path: request.url, headers: request.headers, revision: process.env.K_REVISION, greeting: process.env.GREETING, tracking: process.env.MLFLOW_TRACKING_URI, secret: process.env.PLATFORM_SECRET }))
  }, request.url.startsWith('/slow') ? 400 : 5)
})
server.listen(Number(process.env.PORT), '127.0.0.1')
process.on('SIGTERM', () => server.close(() => process.exit(0)))`

async function pushApp(tag: string, source: string): Promise<string> {
  const folder = join(home, `app-${tag}`)
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'app.mjs'), source)
  const file = join(folder, 'layer.tgz')
  const size = Buffer.byteLength(source)
  const layer = await packLayer([{ path: 'srv/app.mjs', type: 'file', mode: 0o644, size, source: join(folder, 'app.mjs') }], file)
  const settings = {
    config: { Cmd: ['node', 'app.mjs'], WorkingDir: '/srv', Env: ['GREETING=hello'] },
    rootfs: { diff_ids: [layer.diffId] },
  }
  const config = Buffer.from(JSON.stringify(settings))
  await writeFile(join(folder, 'config.json'), config)
  const registry = new RegistryClient(
    new Endpoint(endpoint, await tokens.issue(principal('user:pusher', ['images.read', 'images.write']), 60)),
  )
  const configDescriptor = { mediaType: 'application/vnd.oci.image.config.v1+json', digest: digestOf(config), size: config.length }
  const layerDescriptor = { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest: layer.digest, size: layer.size }
  await registry.upload('shop/api', configDescriptor, join(folder, 'config.json'))
  await registry.upload('shop/api', layerDescriptor, file)
  const manifest = { schemaVersion: 2, mediaType: IMAGE_MANIFEST, config: configDescriptor, layers: [layerDescriptor] }
  return registry.pushManifest('shop/api', tag, IMAGE_MANIFEST, Buffer.from(JSON.stringify(manifest)))
}

interface Answer {
  version: string
  path: string
  headers: Record<string, string>
  revision: string
  greeting: string
  tracking: string
  secret?: string
}

const call = (path: string, init: RequestInit = {}) =>
  fetch(`${endpoint}${path}`, { ...init, headers: { authorization: `Bearer ${token}`, ...init.headers } })

const ask = async (name: string, path = '/'): Promise<Answer> => (await (await call(`/services/${name}${path}`)).json()) as Answer

const template = (tag: string, extra: object = {}) => ({ containers: [{ image: `gcr.io/shop/api:${tag}`, ...extra }] })

const deploy = async (name: string, tag: string, extra: object = {}) => {
  const [operation] = await client.updateService({
    service: { name: `${PARENT}/services/${name}`, template: template(tag, extra) },
    updateMask: { paths: ['template'] },
    allowMissing: true,
  })
  return operation.promise()
}

test("Google's own client deploys a service; its process gets the contract's environment and nothing of the platform's", async () => {
  process.env.PLATFORM_SECRET = 'keep me'
  const [operation] = await client.createService({
    parent: PARENT,
    serviceId: 'api',
    service: { template: { ...template('v1'), labels: { 'model-version': '7' } } },
  })
  const [service] = await operation.promise()
  assert.equal(service.uri, `${endpoint}/services/api`)
  // The client leaves enumerations inside of an operation as numbers.
  assert.equal(service.terminalCondition?.state, 4)
  assert.deepEqual(service.template?.labels, { 'model-version': '7' })
  const answer = await ask('api', '/predict?x=1')
  assert.deepEqual([answer.version, answer.path, answer.greeting, answer.tracking], ['one', '/predict?x=1', 'hello', endpoint])
  assert.equal(answer.revision, service.latestReadyRevision?.split('/').at(-1))
  assert.equal(answer.secret, undefined)
  const [revision] = await revisionsClient.getRevision({ name: service.latestReadyRevision ?? '' })
  assert.match(revision.containers?.[0]?.image ?? '', /^gcr\.io\/shop\/api@sha256:/)
  const [list] = await client.listServices({ parent: PARENT })
  assert.deepEqual(
    list.map(({ name }) => name),
    [`${PARENT}/services/api`],
  )
  const states = told.flatMap((event) => (event.type === 'revision.changed' ? [`${event.facts.state} by ${event.by}`] : []))
  assert.deepEqual(states, ['deploying by build:9', 'ready by build:9'])
  const traffic = told.flatMap((event) => (event.type === 'traffic.changed' ? [event.facts] : []))
  assert.deepEqual(traffic, [{ service: 'api', revision: answer.revision, percent: 100, url: service.uri }])
})

test('a new revision takes over under load without one failed request, and requests that had begun finish', async () => {
  await deploy('loaded', 'v1')
  let isOver = false
  const seen: string[] = []
  const failures: unknown[] = []
  const load = Array.from({ length: 6 }, async (_, i) => {
    while (!isOver) {
      const response = await call(`/services/loaded/${i === 0 ? 'slow' : 'fast'}`)
      if (response.ok) seen.push(((await response.json()) as Answer).version)
      else failures.push(await response.text())
    }
  })
  await deploy('loaded', 'v2')
  const since = seen.length
  while (seen.length < since + 50) await new Promise(setImmediate)
  isOver = true
  await Promise.all(load)
  assert.deepEqual(failures, [])
  assert.equal(seen[0], 'one')
  assert.deepEqual(new Set(seen.slice(-6)), new Set(['two']))
})

test('a rollback sends the traffic back to the old revision, at the same address', async () => {
  await deploy('rolled', 'v1')
  const first = (await ask('rolled')).revision
  await deploy('rolled', 'v2')
  assert.equal((await ask('rolled')).version, 'two')
  const [operation] = await client.updateService({
    service: {
      name: `${PARENT}/services/rolled`,
      traffic: [{ type: 'TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION', revision: first, percent: 100 }],
    },
    updateMask: { paths: ['traffic'] },
  })
  const [service] = await operation.promise()
  assert.deepEqual(
    service.trafficStatuses?.map(({ revision, percent }) => [revision, percent]),
    [[first, 100]],
  )
  const answer = await ask('rolled')
  assert.deepEqual([answer.version, answer.revision], ['one', first])
})

test('a revision that never becomes ready leaves the old one serving, and says why with the last lines of its log', async () => {
  await deploy('guarded', 'v1')
  await assert.rejects(deploy('guarded', 'broken'), /not ready[\s\S]*exit status 3[\s\S]*model not found/)
  assert.equal((await ask('guarded')).version, 'one')
  const [service] = await client.getService({ name: `${PARENT}/services/guarded` })
  assert.equal(service.terminalCondition?.state, 'CONDITION_FAILED')
  assert.notEqual(service.latestCreatedRevision, service.latestReadyRevision)
  const log = await call(`/v2/${service.latestCreatedRevision}/log`, { headers: { range: 'bytes=0-' } })
  assert.deepEqual([log.status, log.headers.get('content-type')], [206, 'text/plain; charset=utf-8'])
  assert.match(await log.text(), /model not found/)
  await deploy('guarded', 'v2')
  assert.equal((await ask('guarded')).version, 'two', 'the next good one takes over')
})

test('a revision that does not listen in time is stopped', async () => {
  await pushApp('deaf', 'setInterval(() => {}, 1000)')
  const startupProbe = { httpGet: { path: '/health' }, failureThreshold: 1, periodSeconds: 1 }
  await assert.rejects(deploy('deaf', 'deaf', { startupProbe }), /GET \/health did not answer with a status below 400 within 1 s/)
})

test('only who may invoke the service reaches it, unless it is public; its health is open', async () => {
  await deploy('closed', 'v1')
  assert.equal((await fetch(`${endpoint}/services/closed/`)).status, 401)
  assert.equal((await fetch(`${endpoint}/services/closed/health`)).status, 200)
  const reader = await tokens.issue(principal('user:eve', ['services.read']), 60)
  assert.equal((await call('/services/closed/', { headers: { authorization: `Bearer ${reader}` } })).status, 403)
  const service = { name: `${PARENT}/services/closed`, invokerIamDisabled: true }
  const [operation] = await client.updateService({ service, updateMask: { paths: ['invoker_iam_disabled'] } })
  await operation.promise()
  assert.equal((await fetch(`${endpoint}/services/closed/`)).status, 200)
})

test('a service sees neither the session nor the token of its caller, and cannot act in the origin of our pages', async () => {
  await deploy('fenced', 'v1')
  const response = await call('/services/fenced/', { headers: { cookie: 'a=1; daggerboard_session=secret' } })
  const { headers } = (await response.json()) as Answer
  assert.deepEqual([headers.authorization, headers.cookie, headers['x-forwarded-prefix']], [undefined, 'a=1', '/services/fenced'])
  assert.equal(response.headers.get('set-cookie'), null)
  assert.equal(response.headers.get('content-security-policy'), 'sandbox')
})

test('bodies of any size stream through in both directions', async () => {
  await deploy('echo', 'v1')
  const bytes = randomBytes(3_000_000)
  const response = await call('/services/echo/predict', { method: 'POST', body: bytes })
  assert.ok(Buffer.from(await response.arrayBuffer()).equals(bytes))
})

test('a revision of another MLflow server gets that address, and no token of ours', async () => {
  await pushApp('tracked', app('tracked').replace('secret: process.env.PLATFORM_SECRET', 'secret: process.env.MLFLOW_TRACKING_TOKEN'))
  await deploy('tracked', 'tracked', { env: [{ name: 'MLFLOW_TRACKING_URI', value: 'https://mlflow.example.com' }] })
  const { tracking, secret } = await ask('tracked')
  assert.deepEqual([tracking, secret], ['https://mlflow.example.com', undefined])
  await deploy('tracked', 'tracked')
  assert.match((await ask('tracked')).secret ?? '', /^eyJ/)
})

test('a service is known by its host name, too', async () => {
  await deploy('named', 'v1')
  const { request } = await import('node:http')
  const body = await new Promise<string>((resolve, reject) => {
    const { port } = new URL(endpoint)
    const headers = { host: `named.localhost:${port}`, authorization: `Bearer ${token}` }
    request({ host: '127.0.0.1', port, path: '/v2/x', headers }, (response) => {
      let text = ''
      response.on('data', (chunk) => {
        text += chunk
      })
      response.on('end', () => resolve(text))
    })
      .on('error', reject)
      .end()
  })
  assert.equal((JSON.parse(body) as Answer).path, '/v2/x')
})

test('a crashed revision is started again', async () => {
  await pushApp(
    'fragile',
    app('fragile').replace('createServer((request, response) => {', `$& if (request.url === '/die') process.exit(9)`),
  )
  await deploy('fragile', 'fragile')
  assert.equal((await call('/services/fragile/die')).status, 503)
  let answer: Response
  do answer = await call('/services/fragile/')
  while (answer.status === 503)
  assert.equal(((await answer.json()) as Answer).version, 'fragile')
})

test('after a restart of the platform the revision that had traffic serves again at the same address', async () => {
  await deploy('lasting', 'v1')
  const before = await ask('lasting')
  await stop()
  await start()
  let answer: Response
  do answer = await call('/services/lasting/')
  while (answer.status === 503)
  assert.equal(((await answer.json()) as Answer).revision, before.revision)
})

test('what cannot be deployed is refused with all its problems', async () => {
  const refused = await call(`/v2/${PARENT}/services?serviceId=Bad_Name`, {
    method: 'POST',
    body: JSON.stringify({ template: { ...template('v1', { env: [{ name: 'PORT', value: '1' }] }), timeout: '9999s' } }),
  })
  assert.equal(refused.status, 400)
  const { error } = (await refused.json()) as { error: { message: string } }
  for (const part of [/Bad_Name/, /PORT is set by the platform/, /9999 s/]) assert.match(error.message, part)
  await assert.rejects(deploy('nothing', 'no-such-tag'), /not in the registry/)
  await assert.rejects(client.getService({ name: `${PARENT}/services/apu` }), /Did you mean "api"/)
})

test('a deleted service is gone with its revisions', async () => {
  await deploy('passing', 'v1')
  const [operation] = await client.deleteService({ name: `${PARENT}/services/passing` })
  await operation.promise()
  assert.equal((await call('/services/passing/')).status, 404)
})
