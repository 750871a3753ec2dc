import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { BUILD_PERMISSIONS, PERMISSIONS } from '../../packages/platform/src/core/principal.ts'
import { type Answer, WholePlatform } from './whole-platform.ts'

const whole = new WholePlatform()
const canary = join(whole.folder, 'canary.txt')
const SECRET = 'the canary sings'
let token: string

before(async () => {
  writeFileSync(canary, SECRET)
  await whole.start()
  token = await whole.token(PERMISSIONS)
})

after(() => whole.remove())

const send = (method: string, path: string, body?: object) =>
  whole.knock(path, { method, token, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })

/** Names that lead elsewhere, as they would have to be written into an address. */
const WAYS_OUT = [
  '..%2f..%2fcanary.txt',
  '%2e%2e%2f%2e%2e%2fcanary.txt',
  '..%5c..%5ccanary.txt',
  'x%2f..%2f..%2f..%2fcanary.txt',
  '%2fetc%2fpasswd',
  'canary%00.txt',
  '%zz',
]

/** Every parameter that becomes a file, or the name of one. */
const PLACES: readonly ((way: string, name: string) => readonly [method: string, path: string, body?: object])[] = [
  (way) => ['GET', `/p/daggerboard/r/${way}/info/refs?service=git-upload-pack`],
  (way) => ['GET', `/p/${way}/r/x/info/refs?service=git-upload-pack`],
  (way) => ['POST', `/p/daggerboard/r/${way}/git-receive-pack`, {}],
  (way) => ['GET', `/v1/projects/daggerboard/repos/${way}`],
  (_, name) => ['POST', '/v1/projects/daggerboard/repos', { name }],
  (way) => ['GET', `/api/2.0/mlflow-artifacts/artifacts/${way}`],
  (way) => ['PUT', `/api/2.0/mlflow-artifacts/artifacts/${way}`, {}],
  (way) => ['DELETE', `/api/2.0/mlflow-artifacts/artifacts/${way}`],
  (way) => ['GET', `/storage/v1/b/${way}`],
  (way) => ['GET', `/storage/v1/b/${way}/o/x?alt=media`],
  (way) => ['GET', `/storage/v1/b/x/o/${way}?alt=media`],
  (way) => ['POST', `/upload/storage/v1/b/${way}/o?uploadType=media&name=x`, {}],
  (way) => ['PUT', `/upload/storage/v1/b/x/o?uploadType=resumable&upload_id=${way}`, {}],
  (_, name) => ['POST', '/storage/v1/b?project=daggerboard', { name }],
  (way) => ['GET', `/v1/projects/daggerboard/builds/${way}/log`],
  (way) => ['GET', `/api/v2/dags/${way}/dagRuns/${way}/taskInstances/${way}/logs/1`],
  (way) => ['GET', `/api/v2/dagSources/${way}`],
  (way) => ['GET', `/v2/projects/daggerboard/locations/us-central1/services/${way}/revisions/${way}/log`],
  (way) => [
    'PATCH',
    `/v2/projects/daggerboard/locations/us-central1/services/${way}?allowMissing=true`,
    { template: { containers: [{ image: 'gcr.io/daggerboard/x' }] } },
  ],
  (way) => ['GET', `/npm/${way}`],
  (way) => ['GET', `/npm/@daggerboard%2fdag/-/${way}`],
  (way) => ['POST', `/v2/${way}/blobs/uploads/`],
  (way) => ['GET', `/v2/x/blobs/${way}`],
  (way) => ['GET', `/v2/x/blobs/sha256:${way}`],
  (way) => ['PATCH', `/v2/x/blobs/uploads/${way}`, {}],
  (way) => ['PUT', `/v2/x/manifests/${way}`, {}],
  (_, clusterName) => ['POST', '/v1/projects/daggerboard/regions/us-central1/clusters', { clusterName }],
]

const everythingIn = (folder: string): string[] =>
  (readdirSync(folder, { recursive: true }) as string[]).filter((path) => !/sqlite-(wal|shm)$|^home\/libraries/.test(path)).sort()

function decoded(way: string): string {
  try {
    return decodeURIComponent(way)
  } catch {
    return way
  }
}

test('a name that leads out of its folder is refused wherever it becomes a file, and nothing is touched', async () => {
  const found = everythingIn(whole.folder)
  for (const way of WAYS_OUT)
    for (const place of PLACES) {
      const [method, path, body] = place(way, decoded(way))
      const { status, text } = await send(method, path, body)
      assert.ok(status >= 400 && status < 500, `${method} ${path} answers ${status}: ${text}`)
      assert.ok(!text.includes(SECRET), path)
    }
  assert.deepEqual(everythingIn(whole.folder), found)
  assert.equal(readFileSync(canary, 'utf8'), SECRET)
})

test('the page’s door shows its own files only', async () => {
  for (const way of [...WAYS_OUT, '../../../package.json', '..%2f..%2f..%2fpackage.json', '.env', 'assets/..%2f..%2fpackage.json'])
    for (const folder of ['/', '/assets/'])
      assert.doesNotMatch((await send('GET', `${folder}${way}`)).text, /canary sings|"workspaces"|root:/)
})

test('a name that git would read as an option is no name', async () => {
  for (const name of ['-x', '--upload-pack=touch%20x', '--output=x', '-c'])
    for (const [method, path, body] of [
      ['GET', `/p/daggerboard/r/${name}/info/refs?service=git-upload-pack`],
      ['POST', '/v1/projects/daggerboard/repos', { name: decodeURIComponent(name) }],
    ] as const) {
      const { status } = await send(method, path, body)
      assert.ok(status === 400 || status === 404, `${path} ${status}`)
    }
})

/** Values that parsers, routers, stores and headers have stumbled over. */
const ODD = ['%00', '%0d%0aX-Injected:%20yes', "'%20OR%201=1--", '%zz', '__proto__', 'constructor', '%E2%86%92']
const ODD_BODIES = ['[]', 'null', '{"__proto__":{"a":1},"name":{}}', '{']
const ODD_PAGE = 'pageSize=-1&limit=-1&n=x&maxResults=0&max_results=-1'

test('whatever stands in an address or a body, no door says that it has failed, and each answers', async () => {
  const routes = new Map(whole.platform.routes.map(({ method, path }) => [`${method} ${path}`, { method, path }]))
  const failures: string[] = []
  // One of the doors is the one that ends the token that comes through it.
  const own = await whole.token(PERMISSIONS)
  for (const { method, path } of routes.values()) {
    // Two addresses of one handler, and a stream that does not end.
    if (path.startsWith('/ajax-api') || path.startsWith('/b') || path.startsWith('/download') || path.endsWith('/events')) continue
    const verb = method === 'ALL' ? 'GET' : method
    for (const value of /[:*]/.test(path) ? ODD : ['']) {
      const filled = path
        .replace(/:\w+\{.*?\}(?=\/|$)/g, `${value}:cancel`)
        .replace(/(?<=\/):\w+/g, value)
        .replace(/\*$/, value)
      for (const body of verb === 'GET' || verb === 'HEAD' ? [undefined] : ODD_BODIES) {
        const { status, text } = await whole.knock(`${filled}?${ODD_PAGE}`, {
          method: verb,
          token: path === '/auth/logout' ? own : token,
          ...(body === undefined ? {} : { body }),
        })
        if (status >= 500 && status !== 501 && status !== 503) failures.push(`${verb} ${filled} ${body ?? ''}: ${status} ${text}`)
      }
    }
  }
  assert.deepEqual(failures, [])
})

test('the home is its owner’s alone, and so are the keys and the store', () => {
  const modeOf = (...path: string[]) => (statSync(join(whole.home, ...path)).mode & 0o777).toString(8)
  assert.equal(modeOf(), '700')
  assert.deepEqual([modeOf('keys'), modeOf('keys', 'token.key'), modeOf('keys', 'fernet.key')], ['700', '600', '600'])
  for (const file of readdirSync(whole.home).filter((name) => name.startsWith('platform.sqlite'))) assert.equal(modeOf(file), '600', file)
})

test('a build’s token opens what builds need until the build is over, and nothing after it; its log is kept all the same', async () => {
  const file = join(whole.folder, 'token')
  const steps = [
    {
      name: 'bash',
      entrypoint: 'sh',
      args: ['-c', `printf %s "$$DAGGERBOARD_TOKEN" > ${file}; gsutil ls`],
    },
  ]
  const { metadata } = JSON.parse((await send('POST', '/v1/projects/daggerboard/builds', { steps })).text) as {
    metadata: { build: { id: string } }
  }
  const { id } = metadata.build
  await whole.knock(`/v1/projects/daggerboard/builds/${id}/log?follow=true`, { token })
  const build = JSON.parse((await send('GET', `/v1/projects/daggerboard/builds/${id}`)).text) as { status: string }
  assert.equal(build.status, 'SUCCESS')
  const ended = await whole.knock('/storage/v1/b', { token: readFileSync(file, 'utf8') })
  assert.equal(ended.status, 401)
  assert.match(ended.text, /speaks for build:.*, which is over/)
  let log: Answer
  do log = await send('GET', `/storage/v1/b/daggerboard_cloudbuild/o/log-${id}.txt?alt=media`)
  while (log.status === 404)
  assert.match(log.text, /\nDONE\n/)
})

test('tokens of builds, tries, jobs and revisions that are not there open nothing', async () => {
  for (const subject of ['build:1', 'task:dag/run/task#1', 'job:1', 'revision:api/api-00001-abc', 'user:nobody', 'robot:1']) {
    const dead = await whole.token(BUILD_PERMISSIONS, subject)
    assert.equal((await whole.knock('/storage/v1/b', { token: dead })).status, 401, subject)
  }
})
