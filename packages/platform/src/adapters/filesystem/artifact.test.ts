import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, test } from 'node:test'
import { FilesystemArtifactStore } from './artifact.ts'

const folder = await mkdtemp(join(tmpdir(), 'daggerboard-artifacts-'))
after(() => rm(folder, { recursive: true, force: true }))

const streamOf = (content: string) => new Blob([content]).stream()

test('an artifact is replaced as a whole, listed with its size, and gone when its folder is deleted', async () => {
  const store = new FilesystemArtifactStore({ folder: join(folder, 'plain') })
  await store.write('1/run/a.txt', streamOf('first'))
  await store.write('1/run/a.txt', streamOf('second one'))
  await store.write('1/run/plots/empty', null)
  assert.equal(await text((await store.read('1/run/a.txt')).stream), 'second one')
  assert.deepEqual(await store.list('1/run'), [
    { path: 'a.txt', isFolder: false, bytes: 10 },
    { path: 'plots', isFolder: true, bytes: null },
  ])
  await store.delete('1/run')
  assert.deepEqual(await store.list('1/run'), [])
  await assert.rejects(store.read('1/run/a.txt'), /no artifact "1\/run\/a.txt"/)
})

test('an upload that breaks off leaves the older file and nothing beside it', async () => {
  const home = join(folder, 'broken')
  const store = new FilesystemArtifactStore({ folder: home })
  await store.write('model', streamOf('whole'))
  const breaking = new ReadableStream<Uint8Array>({
    pull(controller) {
      controller.enqueue(new Uint8Array(10))
      controller.error(new Error('the client went away'))
    },
  })
  await assert.rejects(store.write('model', breaking), /went away/)
  assert.equal(await text((await store.read('model')).stream), 'whole')
  assert.deepEqual(await readdir(join(home, 'incoming')), [])
})

test('what a crash left half-written is taken away before the next write', async () => {
  const home = join(folder, 'crashed')
  await mkdir(join(home, 'incoming'), { recursive: true })
  await writeFile(join(home, 'incoming', 'half'), 'x')
  await new FilesystemArtifactStore({ folder: home }).write('a', streamOf('x'))
  assert.deepEqual(await readdir(join(home, 'incoming')), [])
})

test('an artifact that cannot be reached is not said to be gone: somebody might train without it', async () => {
  const home = join(folder, 'unreachable')
  const store = new FilesystemArtifactStore({ folder: home })
  await store.write('1/run/a.txt', streamOf('kept'))
  await symlink('circle', join(home, 'files/1/run/circle'))
  await assert.rejects(store.read('1/run/circle'), { code: 'ELOOP' })
  await assert.rejects(store.read('1/run/b.txt'), { code: 'not_found' })
})
