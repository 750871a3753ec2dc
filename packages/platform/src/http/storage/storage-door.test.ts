import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { Storage as Client } from '@google-cloud/storage'
import { type ServerType, serve } from '@hono/node-server'
import { Hono } from 'hono'
import { Tokens } from '../../accounts/token.ts'
import { ObjectFiles } from '../../adapters/filesystem/object.ts'
import { SqliteBucketStore } from '../../adapters/sqlite/bucket.ts'
import { Database } from '../../adapters/sqlite/database.ts'
import { SqliteObjectStore } from '../../adapters/sqlite/object.ts'
import { SqliteUploadStore } from '../../adapters/sqlite/upload.ts'
import { Buckets } from '../../buckets/bucket.ts'
import { Storage } from '../../buckets/storage.ts'
import { Uploads } from '../../buckets/upload.ts'
import { systemClock } from '../../core/clock.ts'
import { principal } from '../../core/principal.ts'
import { authentication } from '../authentication.ts'
import type { DoorEnvironment } from '../door.ts'
import { storageDoor } from './storage-door.ts'

let home: string
let server: ServerType
let endpoint: string
let token: string
let viewer: string
let client: Client

before(async () => {
  home = await mkdtemp(join(tmpdir(), 'storage-'))
  const db = new Database(':memory:')
  const data = new ObjectFiles(join(home, 'objects'))
  const buckets = new Buckets({ store: new SqliteBucketStore(db), clock: systemClock })
  const storage = new Storage({ buckets, store: new SqliteObjectStore(db), data, clock: systemClock })
  const uploads = new Uploads({ storage, store: new SqliteUploadStore(db), data, clock: systemClock })
  const tokens = new Tokens(randomBytes(32), systemClock)
  const log = join(home, 'growing.txt')
  await writeFile(log, 'first line\n')
  const virtualObjects = (bucket: string, name: string) => (`${bucket}/${name}` === 'logs/log-1.txt' ? { path: log, size: Infinity } : null)
  const app = new Hono<DoorEnvironment>()
  app.use(authentication({ byToken: (text) => tokens.verify(text), byPassword: () => Promise.reject(new Error('no passwords here')) }))
  app.route('/', storageDoor({ project: 'shop', buckets, storage, uploads, virtualObjects }))
  server = await new Promise((resolve) => {
    const listening = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) => {
      endpoint = `http://127.0.0.1:${port}`
      resolve(listening)
    })
  })
  token = await tokens.issue(principal('build:1', ['buckets.read', 'buckets.write']), 600)
  viewer = await tokens.issue(principal('user:eve', ['buckets.read']), 600)
  client = clientWith(token)
  await client.createBucket('shop-data')
})

after(async () => {
  server.close()
  await rm(home, { recursive: true })
})

function clientWith(accessToken: string): Client {
  const storage = new Client({ apiEndpoint: endpoint, projectId: 'shop' })
  type Interceptor = (typeof storage.interceptors)[number]
  const request = (options: { headers?: object }) =>
    Object.assign(options, { headers: { ...options.headers, Authorization: `Bearer ${accessToken}` } })
  storage.interceptors.push({ request } as unknown as Interceptor)
  return storage
}

const call = (path: string, init: RequestInit = {}, bearer = token) =>
  fetch(`${endpoint}${path}`, { ...init, headers: { authorization: `Bearer ${bearer}`, ...init.headers } })

test("Google's own client uploads, lists, downloads and deletes", async () => {
  const bucket = client.bucket('shop-data')
  await bucket
    .file('primary/staging/data.csv')
    .save('a,b\n1,2\n', { resumable: false, contentType: 'text/csv', metadata: { metadata: { rows: '1' } } })
  const [contents] = await bucket.file('primary/staging/data.csv').download()
  assert.equal(contents.toString(), 'a,b\n1,2\n')
  const [facts] = await bucket.file('primary/staging/data.csv').getMetadata()
  assert.equal(facts.contentType, 'text/csv')
  assert.equal(facts.metadata?.rows, '1')
  assert.equal(facts.md5Hash, createHash('md5').update('a,b\n1,2\n').digest('base64'))
  await bucket.file('primary/é %2F#?.csv').save('x', { resumable: false })
  const [files] = await bucket.getFiles({ prefix: 'primary/' })
  assert.deepEqual(
    files.map((file) => file.name),
    ['primary/staging/data.csv', 'primary/é %2F#?.csv'],
  )
  for (const file of files) await file.delete()
  assert.deepEqual((await bucket.getFiles())[0], [])
  const [buckets] = await client.getBuckets({ prefix: 'shop' })
  assert.deepEqual(
    buckets.map(({ id }) => id),
    ['shop-data'],
  )
})

test("Google's own client uploads resumably, in one request and in chunks, and checks the sums", async () => {
  const bytes = randomBytes(1_500_000)
  const path = join(home, 'big.bin')
  await writeFile(path, bytes)
  for (const chunkSize of [undefined, 512 * 1024]) {
    const [file] = await client
      .bucket('shop-data')
      .upload(path, { destination: 'big.bin', resumable: true, chunkSize, validation: 'crc32c' })
    assert.ok((await file.download({ validation: 'crc32c' }))[0].equals(bytes))
    assert.ok((await file.download({ start: 10, end: 19 }))[0].equals(bytes.subarray(10, 20)))
    await file.delete()
  }
})

test('an upload goes on where a broken one stopped', async () => {
  const begun = await call('/upload/storage/v1/b/shop-data/o?uploadType=resumable&name=half', {
    method: 'POST',
    body: '{"contentType":"text/x"}',
  })
  const location = begun.headers.get('location') ?? ''
  assert.ok(location.startsWith(endpoint))
  const put = (range: string, body?: string) =>
    fetch(location, {
      method: 'PUT',
      redirect: 'manual',
      headers: { authorization: `Bearer ${token}`, 'content-range': range },
      ...(body && { body }),
    })
  assert.equal((await put('bytes */*')).headers.get('range'), null)
  const first = await put('bytes 0-3/*', 'abcd')
  assert.deepEqual([first.status, first.headers.get('range')], [308, 'bytes=0-3'])
  assert.equal((await put('bytes */6')).headers.get('range'), 'bytes=0-3')
  assert.equal((await put('bytes 5-5/6', 'f')).status, 308, 'a gap is not accepted')
  const last = await put('bytes 2-5/6', 'cdef')
  assert.equal(last.status, 200)
  assert.equal((await put('bytes */6')).status, 200, 'a client that missed the answer hears it again')
  const media = await call('/download/storage/v1/b/shop-data/o/half?alt=media')
  assert.deepEqual([await media.text(), media.headers.get('content-type')], ['abcdef', 'text/x'])
})

test('the multipart uploads of gcloud, with a quoted boundary and bare line feeds, are stored byte for byte', async () => {
  const content = `line\r\n--===1==\nlast\r`
  const body = `--===12==\nContent-Type: application/json\nMIME-Version: 1.0\n\n{"name": "source/x.tgz"}\n--===12==\nContent-Type: application/x-tar\nContent-Transfer-Encoding: binary\n\n${content}\n--===12==--`
  const answer = await call('/upload/storage/v1/b/shop-data/o?uploadType=multipart&name=source%2Fx.tgz', {
    method: 'POST',
    headers: { 'content-type': `multipart/related; boundary='===12=='` },
    body,
  })
  const object = (await answer.json()) as { size: string; md5Hash: string; contentType: string }
  assert.equal(object.md5Hash, createHash('md5').update(content).digest('base64'))
  assert.deepEqual([object.size, object.contentType], [String(content.length), 'application/x-tar'])
})

test('a list is cut into folders and pages', async () => {
  await client.createBucket('listed')
  const bucket = client.bucket('listed')
  for (const name of ['a', 'b/1', 'b/2', 'b/3', 'c/1', 'd', 'd0']) await bucket.file(name).save('', { resumable: false })
  const seen: string[] = []
  let pageToken = ''
  do {
    const page = (await (await call(`/storage/v1/b/listed/o?delimiter=/&maxResults=2&pageToken=${pageToken}`)).json()) as {
      items: { name: string }[]
      prefixes: string[]
      nextPageToken?: string
    }
    seen.push(...page.prefixes, ...page.items.map(({ name }) => name))
    pageToken = page.nextPageToken ?? ''
  } while (pageToken)
  assert.deepEqual(seen.sort(), ['a', 'b/', 'c/', 'd', 'd0'])
  assert.equal((await bucket.getFiles({ maxResults: 3 }))[0].length, 3)
  assert.equal((await bucket.getFiles())[0].length, 7, 'the client follows the pages by itself')
  await assert.rejects(bucket.delete(), /not empty/)
})

test('preconditions protect what another writer has written', async () => {
  const file = client.bucket('shop-data').file('guarded')
  await file.save('one', { resumable: false, preconditionOpts: { ifGenerationMatch: 0 } })
  await assert.rejects(file.save('two', { resumable: false, preconditionOpts: { ifGenerationMatch: 0 } }), { code: 412 })
  const { generation } = (await file.getMetadata())[0]
  assert.equal((await call(`/storage/v1/b/shop-data/o/guarded?ifGenerationNotMatch=${generation}`)).status, 304)
  await file.save('two', { resumable: false, preconditionOpts: { ifGenerationMatch: Number(generation) } })
  assert.equal((await call(`/storage/v1/b/shop-data/o/guarded?generation=${generation}`)).status, 404)
  assert.equal((await file.download())[0].toString(), 'two')
})

test('objects are copied, composed and described anew', async () => {
  const bucket = client.bucket('shop-data')
  await bucket.file('p1').save('one,', { resumable: false })
  await bucket.file('p2').save('two', { resumable: false })
  await bucket.combine(['p1', 'p2'], 'both')
  await bucket.file('both').copy(bucket.file('copies/both'))
  await bucket.file('both').delete()
  await bucket.file('copies/both').setMetadata({ contentType: 'text/csv', metadata: { from: 'parts' } })
  const [facts] = await bucket.file('copies/both').getMetadata()
  assert.deepEqual([facts.contentType, facts.metadata?.from, facts.metageneration], ['text/csv', 'parts', '2'])
  assert.equal((await bucket.file('copies/both').download())[0].toString(), 'one,two')
})

test('bytes whose sum is not the promised one are refused and leave nothing', async () => {
  const answer = await call('/upload/storage/v1/b/shop-data/o?uploadType=media&name=wrong', {
    method: 'POST',
    headers: { 'x-goog-hash': 'md5=AAAAAAAAAAAAAAAAAAAAAA==' },
    body: 'bytes',
  })
  assert.equal(answer.status, 400)
  assert.equal((await call('/storage/v1/b/shop-data/o/wrong')).status, 404)
})

test('a log that still grows is read from where the reader stopped', async () => {
  const tail = (from: number) => call('/storage/v1/b/logs/o/log-1.txt?alt=media', { headers: { range: `bytes=${from}-` } })
  assert.equal(await (await tail(6)).text(), 'line\n')
  const none = await tail(11)
  assert.deepEqual([none.status, none.headers.get('content-range')], [416, 'bytes */11'])
  await appendFile(join(home, 'growing.txt'), 'second\n')
  const more = await tail(11)
  assert.deepEqual([more.status, await more.text()], [206, 'second\n'])
})

test('strangers get 401, readers may not write, and a missing bucket names its neighbours', async () => {
  assert.equal((await fetch(`${endpoint}/storage/v1/b/shop-data`)).status, 401)
  assert.equal((await call('/upload/storage/v1/b/shop-data/o?uploadType=media&name=x', { method: 'POST', body: 'x' }, viewer)).status, 403)
  const missing = (await (await call('/storage/v1/b/shop-dada/o')).json()) as { error: { code: number; message: string } }
  assert.equal(missing.error.code, 404)
  assert.match(missing.error.message, /Did you mean "shop-data"/)
})

test('a page among the objects may not run its scripts in our origin', async () => {
  await client.bucket('shop-data').file('page.html').save('<script>steal()</script>', { resumable: false, contentType: 'text/html' })
  const page = await call('/storage/v1/b/shop-data/o/page.html?alt=media')
  assert.deepEqual([page.headers.get('content-security-policy'), page.headers.get('x-content-type-options')], ['sandbox', 'nosniff'])
})

test('an object is not lost when the data that it replaced cannot be deleted, nor when another took its place before a deletion', async () => {
  const db = new Database(':memory:')
  const data = new ObjectFiles(join(home, 'stubborn'))
  const store = new SqliteObjectStore(db)
  const buckets = new Buckets({ store: new SqliteBucketStore(db), clock: systemClock })
  const storage = new Storage({ buckets, store, data, clock: systemClock })
  await buckets.create({ name: 'shop-data', project: 'shop', createdBy: 'user:ann' })
  const request = { bucket: 'shop-data', name: 'a', createdBy: 'user:ann' }
  const bytes = (text: string) => new Blob([text]).stream()
  const first = await storage.write(request, bytes('first'))
  const remove = data.delete.bind(data)
  data.delete = async (id) => (id === first.dataId ? Promise.reject(new Error('disk trouble')) : remove(id))
  await assert.rejects(storage.write(request, bytes('second')), /disk trouble/)
  const second = await storage.find('shop-data', 'a')
  assert.equal(Buffer.concat(await (await storage.read(second)).toArray()).toString(), 'second')
  // What a deletion sees that is overtaken by the second write.
  store.find = async () => first
  await assert.rejects(storage.delete('shop-data', 'a', { generation: first.generation }), /precondition/)
  assert.deepEqual(await store.dataIds(), new Set([second.dataId]))
})

test('a request that hangs cannot write into an upload that another request has ended', async () => {
  const db = new Database(':memory:')
  const data = new ObjectFiles(join(home, 'overtaken'))
  const buckets = new Buckets({ store: new SqliteBucketStore(db), clock: systemClock })
  const storage = new Storage({ buckets, store: new SqliteObjectStore(db), data, clock: systemClock })
  const uploads = new Uploads({ storage, store: new SqliteUploadStore(db), data, clock: systemClock })
  await buckets.create({ name: 'shop-data', project: 'shop', createdBy: 'user:ann' })
  const { id } = await uploads.begin({ bucket: 'shop-data', name: 'a', createdBy: 'user:ann' })
  let goOn = () => {}
  const hung = new Promise<void>((resolve) => {
    goOn = resolve
  })
  async function* hanging() {
    yield Buffer.from('abcd')
    await hung
    yield Buffer.from('late')
  }
  const whole = { offset: 0, total: null, isLast: true }
  const first = uploads.receive(id, whole, hanging())
  const refused = assert.rejects(first, /Another request has gone on/)
  while ((await data.size(id)) < 4) await new Promise((resolve) => setImmediate(resolve))
  await uploads.receive(id, whole, new Blob(['abcd']).stream())
  goOn()
  await refused
  const object = await storage.find('shop-data', 'a')
  assert.equal(Buffer.concat(await (await storage.read(object)).toArray()).toString(), 'abcd')
})
