import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { Tokens } from '../../accounts/token.ts'
import { BlobFiles } from '../../adapters/filesystem/blob.ts'
import { SqliteBlobStore } from '../../adapters/sqlite/blob.ts'
import { Database } from '../../adapters/sqlite/database.ts'
import { SqliteManifestStore } from '../../adapters/sqlite/manifest.ts'
import { SqliteTagStore } from '../../adapters/sqlite/tag.ts'
import { Server } from '../../composition/server.ts'
import { systemClock } from '../../core/clock.ts'
import { type DomainEvent, Events } from '../../core/events.ts'
import { principal } from '../../core/principal.ts'
import { IMAGE_INDEX, IMAGE_MANIFEST } from '../../images/manifest.ts'
import { Registry } from '../../images/registry.ts'
import { ociDoor } from './oci-door.ts'

const server = new Server()
const pushed: DomainEvent[] = []
let home: string
let endpoint: string
let token: string

before(async () => {
  home = await mkdtemp(join(tmpdir(), 'oci-'))
  const db = new Database(':memory:')
  const events = new Events(systemClock)
  events.subscribe((event) => pushed.push(event))
  const registry = new Registry({
    blobs: new SqliteBlobStore(db),
    data: new BlobFiles(join(home, 'blobs')),
    manifests: new SqliteManifestStore(db),
    tags: new SqliteTagStore(db),
    events,
    clock: systemClock,
  })
  const tokens = new Tokens(randomBytes(32), systemClock)
  token = await tokens.issue(principal('build:7', ['images.read', 'images.write']), 600)
  endpoint = await server.listen(0)
  server.open({ byToken: (text) => tokens.verify(text), byPassword: () => Promise.reject(new Error('no passwords')) }, [
    ociDoor({ registry }),
  ])
})

after(async () => {
  await server.close()
  await rm(home, { recursive: true })
})

const call = (method: string, path: string, { headers = {}, body }: { headers?: Record<string, string>; body?: string | Buffer } = {}) =>
  fetch(`${endpoint}${path}`, { method, headers: { authorization: `Bearer ${token}`, ...headers }, ...(body !== undefined && { body }) })

const codeOf = async (response: Response) => ((await response.json()) as { errors: { code: string }[] }).errors[0]?.code

const digestOf = (bytes: string | Buffer, algorithm = 'sha256') => `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`

async function pushBlob(repository: string, bytes: string | Buffer): Promise<string> {
  const digest = digestOf(bytes)
  assert.equal((await call('POST', `/v2/${repository}/blobs/uploads/?digest=${digest}`, { body: bytes })).status, 201)
  return digest
}

const descriptor = (bytes: string, mediaType: string) => ({ mediaType, digest: digestOf(bytes), size: bytes.length })

async function pushImage(repository: string, tag: string, extra: object = {}): Promise<{ digest: string; text: string }> {
  await pushBlob(repository, '{}')
  await pushBlob(repository, 'layer')
  const config = descriptor('{}', 'application/vnd.oci.image.config.v1+json')
  const layers = [descriptor('layer', 'application/vnd.oci.image.layer.v1.tar')]
  const text = JSON.stringify({ schemaVersion: 2, mediaType: IMAGE_MANIFEST, config, layers, ...extra }, null, 3)
  const answer = await call('PUT', `/v2/${repository}/manifests/${tag}`, { headers: { 'content-type': IMAGE_MANIFEST }, body: text })
  assert.equal(answer.status, 201, await answer.text())
  assert.equal(answer.headers.get('docker-content-digest'), digestOf(text))
  return { digest: digestOf(text), text }
}

test('an image that is pushed is read back byte for byte, by tag and by digest, and told as an event of its maker', async () => {
  const { digest, text } = await pushImage('shop/api', 'v1')
  for (const reference of ['v1', digest]) {
    const answer = await call('GET', `/v2/shop/api/manifests/${reference}`)
    assert.deepEqual([await answer.text(), answer.headers.get('content-type')], [text, IMAGE_MANIFEST])
    assert.equal((await call('HEAD', `/v2/shop/api/manifests/${reference}`)).headers.get('docker-content-digest'), digest)
  }
  const event = pushed.find((e) => e.type === 'image.pushed')
  assert.deepEqual(event?.facts, { repository: 'shop/api', digest, tag: 'v1', bytes: 7 + text.length })
  assert.equal(event?.by, 'build:7')
})

test('docker logs in with any user and a token as its password', async () => {
  const stranger = await fetch(`${endpoint}/v2/`)
  assert.deepEqual([stranger.status, stranger.headers.get('www-authenticate')], [401, 'Basic realm="daggerboard"'])
  const authorization = `Basic ${Buffer.from(`oauth2accesstoken:${token}`).toString('base64')}`
  assert.equal((await fetch(`${endpoint}/v2/`, { headers: { authorization } })).status, 200)
})

test('a blob arrives in chunks; one out of order is refused with what has arrived', async () => {
  const bytes = randomBytes(300_000)
  const begun = await call('POST', '/v2/shop/chunked/blobs/uploads/')
  const location = begun.headers.get('location') ?? ''
  const patch = (from: number, to: number) =>
    call('PATCH', location, { headers: { 'content-range': `${from}-${to - 1}` }, body: bytes.subarray(from, to) })
  assert.equal((await patch(0, 100_000)).headers.get('range'), '0-99999')
  assert.equal((await patch(200_000, 300_000)).status, 416)
  assert.equal((await call('GET', location)).headers.get('range'), '0-99999')
  assert.equal((await patch(100_000, 250_000)).status, 202)
  const digest = digestOf(bytes)
  assert.equal((await call('PUT', `${location}?digest=${digest}`, { body: bytes.subarray(250_000) })).status, 201)
  const read = await call('GET', `/v2/shop/chunked/blobs/${digest}`, { headers: { range: 'bytes=99990-100009' } })
  assert.deepEqual([read.status, Buffer.from(await read.arrayBuffer()).equals(bytes.subarray(99_990, 100_010))], [206, true])
})

test('bytes with another digest than the promised one are refused and not kept', async () => {
  const digest = digestOf('promised')
  const refused = await call('POST', `/v2/shop/api/blobs/uploads/?digest=${digest}`, { body: 'sent' })
  assert.deepEqual([refused.status, await codeOf(refused)], [400, 'DIGEST_INVALID'])
  assert.equal((await call('HEAD', `/v2/shop/api/blobs/${digest}`)).status, 404)
})

test('digests may be SHA-512, and blobs may be empty', async () => {
  const digest = digestOf('long sum', 'sha512')
  assert.equal((await call('POST', `/v2/shop/sums/blobs/uploads/?digest=${digest}`, { body: 'long sum' })).status, 201)
  assert.equal(await (await call('GET', `/v2/shop/sums/blobs/${digest}`)).text(), 'long sum')
  await pushBlob('shop/sums', '')
  assert.equal((await call('HEAD', `/v2/shop/sums/blobs/${digestOf('')}`)).headers.get('content-length'), '0')
})

test('a manifest is refused, with all that is missing, until its blobs are there', async () => {
  const config = descriptor('config nobody has', 'application/vnd.oci.image.config.v1+json')
  const layers = [descriptor('layer nobody has', 'application/vnd.oci.image.layer.v1.tar')]
  const body = JSON.stringify({ schemaVersion: 2, config, layers })
  const refused = await call('PUT', '/v2/shop/api/manifests/broken', { headers: { 'content-type': IMAGE_MANIFEST }, body })
  const { errors } = (await refused.json()) as { errors: { code: string; detail: string[] }[] }
  assert.deepEqual([refused.status, errors[0]?.code, errors[0]?.detail.length], [400, 'MANIFEST_BLOB_UNKNOWN', 2])
})

test('a blob is mounted from another repository without being sent again', async () => {
  const digest = await pushBlob('shop/first', 'mounted')
  assert.equal((await call('POST', `/v2/shop/second/blobs/uploads/?mount=${digest}&from=shop/first`)).status, 201)
  assert.equal(await (await call('GET', `/v2/shop/second/blobs/${digest}`)).text(), 'mounted')
  assert.equal((await call('POST', `/v2/shop/second/blobs/uploads/?mount=${digestOf('none')}&from=shop/first`)).status, 202)
})

test('tags are listed in order and in pages', async () => {
  for (const tag of ['c', 'a', 'b']) await pushImage('shop/tagged', tag)
  const all = (await (await call('GET', '/v2/shop/tagged/tags/list')).json()) as { tags: string[] }
  assert.deepEqual(all.tags, ['a', 'b', 'c'])
  const page = await call('GET', '/v2/shop/tagged/tags/list?n=2')
  assert.deepEqual(((await page.json()) as { tags: string[] }).tags, ['a', 'b'])
  assert.equal(page.headers.get('link'), '</v2/shop/tagged/tags/list?n=2&last=b>; rel="next"')
  assert.deepEqual(await (await call('GET', '/v2/shop/tagged/tags/list?n=2&last=b')).json(), { name: 'shop/tagged', tags: ['c'] })
  assert.deepEqual(await (await call('GET', '/v2/shop/tagged/tags/list?n=0')).json(), { name: 'shop/tagged', tags: [] })
})

test('what refers to an image is found by it, also before the image is there', async () => {
  const subject = descriptor('an image yet to come', IMAGE_MANIFEST)
  const { digest } = await pushImage('shop/api', 'signature', { subject, artifactType: 'application/x.signature' })
  const answer = await call('GET', `/v2/shop/api/referrers/${subject.digest}?artifactType=application/x.signature`)
  assert.deepEqual([answer.headers.get('content-type'), answer.headers.get('oci-filters-applied')], [IMAGE_INDEX, 'artifactType'])
  const { manifests } = (await answer.json()) as { manifests: { digest: string; artifactType: string }[] }
  assert.deepEqual(
    manifests.map((m) => [m.digest, m.artifactType]),
    [[digest, 'application/x.signature']],
  )
  const none = (await (await call('GET', `/v2/shop/api/referrers/${digestOf('x')}`)).json()) as { manifests: [] }
  assert.deepEqual(none.manifests, [])
})

test('deleting a tag leaves the image, deleting the image takes its tags, and its blobs can go only after it', async () => {
  const { digest } = await pushImage('shop/gone', 'one')
  await pushImage('shop/gone', 'two')
  assert.equal((await call('DELETE', '/v2/shop/gone/manifests/one')).status, 202)
  assert.equal((await call('GET', '/v2/shop/gone/manifests/two')).status, 200)
  const inUse = await call('DELETE', `/v2/shop/gone/blobs/${digestOf('layer')}`)
  assert.deepEqual([inUse.status, await codeOf(inUse)], [405, 'UNSUPPORTED'])
  assert.equal((await call('DELETE', `/v2/shop/gone/manifests/${digest}`)).status, 202)
  assert.equal(await codeOf(await call('GET', '/v2/shop/gone/manifests/two')), 'MANIFEST_UNKNOWN')
  assert.equal((await call('DELETE', `/v2/shop/gone/blobs/${digestOf('layer')}`)).status, 202)
  assert.equal(await (await call('GET', `/v2/shop/api/blobs/${digestOf('layer')}`)).text(), 'layer', 'other repositories keep theirs')
})

test('names that would hide the services, bad names and unknown repositories are refused each with its code', async () => {
  const refused = await call('POST', '/v2/projects/shop/blobs/uploads/')
  assert.deepEqual([refused.status, await codeOf(refused)], [400, 'NAME_INVALID'])
  assert.equal(await codeOf(await call('POST', '/v2/Shop/blobs/uploads/')), 'NAME_INVALID')
  assert.equal(await codeOf(await call('GET', '/v2/nobody/tags/list')), 'NAME_UNKNOWN')
  assert.equal(await codeOf(await call('GET', '/v2/shop/api/blobs/sha256:12')), 'DIGEST_INVALID')
  assert.equal((await fetch(`${endpoint}/v2/shop/api/tags/list`)).status, 401)
})
