/** Skopeo, a client of registries that is not ours, copies an image in and out. */
import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { Tokens } from '../../packages/platform/src/accounts/token.ts'
import { BlobFiles } from '../../packages/platform/src/adapters/filesystem/blob.ts'
import { SqliteBlobStore } from '../../packages/platform/src/adapters/sqlite/blob.ts'
import { Database } from '../../packages/platform/src/adapters/sqlite/database.ts'
import { SqliteManifestStore } from '../../packages/platform/src/adapters/sqlite/manifest.ts'
import { SqliteTagStore } from '../../packages/platform/src/adapters/sqlite/tag.ts'
import { Server } from '../../packages/platform/src/composition/server.ts'
import { systemClock } from '../../packages/platform/src/core/clock.ts'
import { Events } from '../../packages/platform/src/core/events.ts'
import { principal } from '../../packages/platform/src/core/principal.ts'
import { ociDoor } from '../../packages/platform/src/http/oci/oci-door.ts'
import { Registry } from '../../packages/platform/src/images/registry.ts'

const isMissing = spawnSync('skopeo', ['--version']).error !== undefined
const skip = isMissing && 'skopeo is not installed (apt-get install skopeo)'

test('skopeo logs in, copies an image in and out unchanged, lists and deletes', { skip }, async (t) => {
  const home = await mkdtemp(join(tmpdir(), 'skopeo-'))
  const server = new Server()
  t.after(async () => {
    await server.close()
    await rm(home, { recursive: true })
  })
  const db = new Database(':memory:')
  const registry = new Registry({
    blobs: new SqliteBlobStore(db),
    data: new BlobFiles(join(home, 'blobs')),
    manifests: new SqliteManifestStore(db),
    tags: new SqliteTagStore(db),
    events: new Events(systemClock),
    clock: systemClock,
  })
  const tokens = new Tokens(randomBytes(32), systemClock)
  const token = await tokens.issue(principal('user:admin', ['images.read', 'images.write']), 600)
  const endpoint = await server.listen(0)
  server.open({ byToken: (text) => tokens.verify(text), byPassword: () => Promise.reject(new Error('no passwords')) }, [
    ociDoor({ registry }),
  ])
  const image = `docker://${new URL(endpoint).host}/shop/api`
  const env = { ...process.env, HOME: home }
  const skopeo = async (...args: string[]) => (await promisify(execFile)('skopeo', ['--insecure-policy', ...args], { env })).stdout
  const credentials = `oauth2accesstoken:${token}`

  const digest = await writeLayout(join(home, 'in'))
  await skopeo('copy', '--dest-tls-verify=false', '--dest-creds', credentials, `oci:${join(home, 'in')}:v1`, `${image}:v1`)
  const inspected = JSON.parse(await skopeo('inspect', '--tls-verify=false', '--creds', credentials, `${image}:v1`))
  assert.deepEqual([inspected.Digest, inspected.Labels.who], [digest, 'we'])
  await skopeo('copy', '--src-tls-verify=false', '--src-creds', credentials, `${image}@${digest}`, `oci:${join(home, 'out')}:v1`)
  const blobOf = (folder: string) => readFile(join(home, folder, 'blobs', ...digest.split(':')))
  assert.deepEqual(await blobOf('out'), await blobOf('in'))
  const tags = JSON.parse(await skopeo('list-tags', '--tls-verify=false', '--creds', credentials, image))
  assert.deepEqual(tags.Tags, ['v1'])
  await skopeo('delete', '--tls-verify=false', '--creds', credentials, `${image}:v1`)
  await assert.rejects(skopeo('inspect', '--tls-verify=false', '--creds', credentials, `${image}:v1`), /manifest unknown|no image/)
})

/** An image of one small layer as an OCI layout; answers the digest of its manifest. */
async function writeLayout(folder: string): Promise<string> {
  await mkdir(join(folder, 'blobs/sha256'), { recursive: true })
  const put = async (bytes: Buffer, mediaType: string) => {
    const hex = createHash('sha256').update(bytes).digest('hex')
    await writeFile(join(folder, 'blobs/sha256', hex), bytes)
    return { mediaType, digest: `sha256:${hex}`, size: bytes.length }
  }
  const tar = Buffer.alloc(10240)
  const diffId = `sha256:${createHash('sha256').update(tar).digest('hex')}`
  const layer = await put(gzipSync(tar), 'application/vnd.oci.image.layer.v1.tar+gzip')
  const settings = { architecture: 'amd64', os: 'linux', config: { Labels: { who: 'we' } }, rootfs: { type: 'layers', diff_ids: [diffId] } }
  const config = await put(Buffer.from(JSON.stringify(settings)), 'application/vnd.oci.image.config.v1+json')
  const mediaType = 'application/vnd.oci.image.manifest.v1+json'
  const manifest = await put(Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, config, layers: [layer] })), mediaType)
  const manifests = [{ ...manifest, annotations: { 'org.opencontainers.image.ref.name': 'v1' } }]
  await writeFile(join(folder, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests }))
  await writeFile(join(folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
  return manifest.digest
}
