import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, readlink, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type TestContext, test } from 'node:test'
import { atMost, UnpackedFolder } from './unpacked-folder.ts'

async function opened(t: TestContext) {
  const home = await mkdtemp(join(tmpdir(), 'unpacked-'))
  t.after(() => rm(home, { recursive: true }))
  await mkdir(join(home, 'outside'))
  const folder = await UnpackedFolder.open(join(home, 'inside'), (name) => new Error(`"${name}" leads out.`))
  return { folder, outside: join(home, 'outside') }
}

test('names that lead out are refused, names that lead through new folders make them', async (t) => {
  const { folder } = await opened(t)
  for (const name of ['../x', 'a/../../x', '../inside-too/x']) await assert.rejects(folder.place(name), /leads out/)
  assert.equal(await folder.place('/etc/passwd'), join(folder.root, 'etc/passwd'))
  assert.equal(await folder.place('a/b/c'), join(folder.root, 'a/b/c'))
  assert.deepEqual((await readdir(folder.root)).sort(), ['a', 'etc'])
})

test('nothing is made behind a link that leads out, not even a folder', async (t) => {
  const { folder, outside } = await opened(t)
  await symlink(outside, join(folder.root, 'out'))
  await symlink(join(outside, 'not-yet'), join(folder.root, 'dangling'))
  for (const name of ['out/x', 'out/a/b/x', 'dangling/x']) await assert.rejects(folder.place(name), /leads out/)
  assert.deepEqual(await readdir(outside), [])
})

test('a folder that was inside is looked at again once a link has taken its place', async (t) => {
  const { folder, outside } = await opened(t)
  await mkdir(join(outside, 'b'))
  await writeFile(await folder.place('a/b/x'), '')
  await folder.clear(await folder.place('a'))
  await symlink(outside, join(folder.root, 'a'))
  await assert.rejects(folder.place('a/b/y'), /leads out/)
})

test('links stay inside, also those that go through others', async (t) => {
  const { folder } = await opened(t)
  for (const target of ['/etc', '..', 'x/../../y']) await assert.rejects(folder.linkInside('link', target), /leads out/)
  await folder.linkInside('here', '.')
  await folder.linkInside('detour', 'here/here/here/../../..')
  assert.equal(await readlink(join(folder.root, 'detour')), '.')
  await folder.linkInside('a/up', '../here')
  await assert.rejects(folder.linkInside('here/here/up', '..'), /leads out/)
  await writeFile(await folder.place('file'), 'x')
  await folder.linkTo('same', 'file')
  await assert.rejects(folder.linkTo('stolen', '../outside/x'), /leads out/)
})

test('a small archive cannot unpack to any size', async () => {
  const bytes = function* () {
    for (let i = 0; i < 100; i++) yield Buffer.alloc(1000)
  }
  const unpacked = () => new Error('too large')
  await assert.rejects(
    pipeline(Readable.from(bytes()), atMost(50_000, unpacked), async (source) => void (await Array.fromAsync(source))),
    /too large/,
  )
  await pipeline(Readable.from(bytes()), atMost(100_000, unpacked), async (source) => void (await Array.fromAsync(source)))
})
