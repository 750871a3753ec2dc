import assert from 'node:assert/strict'
import { chownSync, mkdtempSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { Tokens } from '../accounts/token.ts'
import { systemClock } from '../core/clock.ts'
import { TASK_PERMISSIONS } from '../core/principal.ts'
import { Home } from './home.ts'
import { localAccess } from './local-access.ts'

const ENDPOINT = 'http://127.0.0.1:8080'

function running(t: TestContext): { readonly home: Home; readonly key: Uint8Array } {
  const path = mkdtempSync(join(tmpdir(), 'home-'))
  const home = new Home(path)
  const key = home.signingKey()
  home.publish(ENDPOINT)
  t.after(() => {
    home.release()
    rmSync(path, { recursive: true, force: true })
  })
  return { home, key }
}

test('the owner of a home gets tokens for the platform that runs in it, of the admin or for less', async (t) => {
  const { home, key } = running(t)
  const tokens = new Tokens(key, systemClock)
  const access = await localAccess(home.path)
  assert.equal(access?.endpoint, ENDPOINT)
  assert.ok((await tokens.verify((await access?.token()) ?? '')).permissions.has('users.write'))
  const less = await localAccess(home.path, TASK_PERMISSIONS)
  assert.deepEqual([...(await tokens.verify((await less?.token()) ?? '')).permissions], TASK_PERMISSIONS)
  home.release()
  assert.equal(await localAccess(home.path), null)
})

test('no token goes to an address behind a link', async (t) => {
  const { home } = running(t)
  renameSync(home.folder('platform.endpoint'), home.folder('elsewhere'))
  symlinkSync(home.folder('elsewhere'), home.folder('platform.endpoint'))
  await assert.rejects(localAccess(home.path), { code: 'forbidden' })
})

test('no token of our key goes to where somebody else has published', {
  skip: process.getuid?.() !== 0 && 'needs a second user',
}, async (t) => {
  const { home } = running(t)
  chownSync(home.folder('platform.endpoint'), 12345, 12345)
  await assert.rejects(localAccess(home.path), { code: 'forbidden', message: /do not belong to one user/ })
})
