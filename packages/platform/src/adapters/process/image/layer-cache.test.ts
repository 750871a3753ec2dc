import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { LayerCache } from './layer-cache.ts'

let home: string

before(async () => {
  home = await mkdtemp(join(tmpdir(), 'layers-'))
})

after(() => rm(home, { recursive: true }))

const HOUR = 3_600_000

/** Keeps a layer of 100 bytes that was used last so many hours ago. */
async function keep(cache: LayerCache, key: string, hoursAgo: number): Promise<void> {
  const bytes = Buffer.alloc(100, key)
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`
  await cache.keep(key, async (file) => {
    await writeFile(file, bytes)
    return { digest, diffId: digest, size: bytes.length, folders: [] }
  })
  const used = new Date(Date.now() - hoursAgo * HOUR)
  await utimes(cache.pathOf(digest), used, used)
}

test('beyond its limit the cache forgets the layers that were used least recently, and never one that a build may still need', async () => {
  const cache = new LayerCache(home, { limitBytes: 250 })
  await keep(cache, 'oldest', 30)
  await keep(cache, 'older', 20)
  assert.ok(await cache.find('oldest'), 'a layer that is found is in use again')
  await keep(cache, 'new', 0)
  const known = async () => (await readdir(join(home, 'keys'))).sort()
  assert.deepEqual(await known(), ['new', 'oldest'])
  assert.equal(await cache.find('older'), null)
  await keep(cache, 'newer', 0)
  await keep(cache, 'newest', 0)
  assert.deepEqual(await known(), ['new', 'newer', 'newest', 'oldest'], 'all of them were used within the last hours')
})
