import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { Home } from './home.ts'

test('a home is held by one platform, and a number that a dead one has left holds nobody up', async (t) => {
  const path = await mkdtemp(join(tmpdir(), 'home-'))
  t.after(() => rm(path, { recursive: true, force: true }))
  // The first process of the system always lives, and is no platform.
  await writeFile(join(path, 'platform.pid'), '1')
  const home = new Home(path)
  assert.throws(() => new Home(path), new RegExp(`A platform \\(process ${process.pid}\\) is running in ${path}\\. Stop it`))
  const key = home.fernetKey()
  home.release()
  home.release()
  const next = new Home(path)
  assert.equal(next.fernetKey(), key)
  next.release()
})

test('a key that could only be written in part, because the disk was full, is made anew', async (t) => {
  const path = await mkdtemp(join(tmpdir(), 'home-'))
  t.after(() => rm(path, { recursive: true, force: true }))
  await mkdir(join(path, 'keys'))
  await writeFile(join(path, 'keys', 'fernet.key.unfinished'), 'half')
  const home = new Home(path)
  assert.equal(home.fernetKey().length, 44)
  assert.deepEqual(await readdir(join(path, 'keys')), ['fernet.key'])
  assert.equal(home.fernetKey(), (await readFile(join(path, 'keys', 'fernet.key'), 'utf8')).trim())
  home.release()
})
