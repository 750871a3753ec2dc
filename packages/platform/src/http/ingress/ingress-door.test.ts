import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import { type AppAnswer, answeringApp, PARENT, RunningServices } from '../../../test/running-services.ts'

let platform: RunningServices

before(async () => {
  platform = await RunningServices.start()
  await platform.push('v1', answeringApp('one'))
  await platform.push('v2', answeringApp('two'))
})

after(() => platform.stop())

/** Counts what reaches this process, and in a file the requests that killed one. */
const COUNTING = `
import { createServer } from 'node:http'
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
let [connections, requests] = [0, 0]
createServer((request, response) => {
  if (request.url === '/die') {
    appendFileSync('deaths', 'x')
    process.exit(9)
  }
  requests++
  const deaths = existsSync('deaths') ? readFileSync('deaths', 'utf8').length : 0
  response.end(JSON.stringify({ connections, requests, deaths }))
}).on('connection', () => connections++).listen(process.env.PORT, '127.0.0.1')`

test('a new revision takes over under load without one failed request, and requests that had begun finish', async () => {
  await platform.deploy('loaded', 'v1')
  let isDeployed = false
  const failures: unknown[] = []
  /** One caller: the versions that it saw until the first request that it sent after the deployment. */
  const load = Array.from({ length: 6 }, async (_, i) => {
    const versions: string[] = []
    for (let isLast = false; !isLast; ) {
      isLast = isDeployed
      const response = await platform.call(`/services/loaded/${i === 0 ? 'slow' : 'fast'}`)
      if (response.ok) versions.push(((await response.json()) as AppAnswer).version)
      else failures.push(await response.text())
    }
    return versions
  })
  await platform.deploy('loaded', 'v2')
  isDeployed = true
  const seen = await Promise.all(load)
  assert.deepEqual(failures, [])
  for (const versions of seen) assert.deepEqual([versions[0], versions.at(-1)], ['one', 'two'])
})

test('requests share connections to a revision, and each is sent once', async () => {
  await platform.push('counting', COUNTING)
  await platform.deploy('counting', 'counting')
  for (let i = 1; i <= 20; i++)
    assert.equal(((await (await platform.call('/services/counting/')).json()) as { requests: number }).requests, i)
  const { connections } = (await (await platform.call('/services/counting/')).json()) as { connections: number }
  // The startup probe had one of its own.
  assert.ok(connections <= 3, `${connections} connections`)
})

test('a revision that crashes is started again; the request in whose midst it did is answered 503 and not sent a second time', async () => {
  await platform.push('crashing', COUNTING)
  await platform.deploy('crashing', 'crashing')
  await platform.call('/services/crashing/')
  const answer = await platform.call('/services/crashing/die', { method: 'POST', body: '{}' })
  assert.equal(answer.status, 503)
  assert.match(await answer.text(), /Revision \\"crashing-00001-\w+\\" did not answer/)
  let next: Response
  do next = await platform.call('/services/crashing/')
  while (next.status === 503)
  const { requests, deaths } = (await next.json()) as { requests: number; deaths: number }
  assert.deepEqual([requests, deaths], [1, 1])
})

test('only who may invoke the service reaches it, unless it is public; its health is open', async () => {
  await platform.deploy('closed', 'v1')
  assert.equal((await fetch(`${platform.endpoint}/services/closed/`)).status, 401)
  assert.equal((await fetch(`${platform.endpoint}/services/closed/health`)).status, 200)
  const reader = await platform.tokenWith(['services.read'])
  assert.equal((await platform.call('/services/closed/', { headers: { authorization: `Bearer ${reader}` } })).status, 403)
  const service = { name: `${PARENT}/services/closed`, invokerIamDisabled: true }
  const [operation] = await platform.client.updateService({ service, updateMask: { paths: ['invoker_iam_disabled'] } })
  await operation.promise()
  assert.equal((await fetch(`${platform.endpoint}/services/closed/`)).status, 200)
})

test('a service sees neither the session nor the token of its caller, and cannot act in the origin of our pages', async () => {
  await platform.deploy('fenced', 'v1')
  const response = await platform.call('/services/fenced/', {
    headers: { cookie: 'daggerboard_session_8080=secret; a=1; daggerboard_session=secret; daggerboard_session_9090=of-another-platform' },
  })
  const { headers } = (await response.json()) as AppAnswer
  assert.deepEqual([headers.authorization, headers.cookie, headers['x-forwarded-prefix']], [undefined, 'a=1', '/services/fenced'])
  assert.equal(response.headers.get('set-cookie'), null)
  assert.equal(response.headers.get('content-security-policy'), 'sandbox')
})

test('bodies of any size stream through in both directions', async () => {
  await platform.deploy('echo', 'v1')
  const bytes = randomBytes(3_000_000)
  const response = await platform.call('/services/echo/predict', { method: 'POST', body: bytes })
  assert.ok(Buffer.from(await response.arrayBuffer()).equals(bytes))
})

test('a HEAD is answered with the headers alone', async () => {
  await platform.deploy('headed', 'v1')
  const response = await platform.call('/services/headed/', { method: 'HEAD' })
  assert.deepEqual([response.status, response.headers.get('content-security-policy'), await response.text()], [200, 'sandbox', ''])
})

test('a service is known by its host name, too', async () => {
  await platform.deploy('named', 'v1')
  const { request } = await import('node:http')
  const body = await new Promise<string>((resolve, reject) => {
    const { port } = new URL(platform.endpoint)
    const headers = { host: `named.localhost:${port}`, authorization: `Bearer ${platform.token}` }
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
  assert.equal((JSON.parse(body) as AppAnswer).path, '/v2/x')
})
