import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

test('what a tool has compiled lies with the build, never in the folder that all users of the machine share', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'tools-'))
  t.after(() => rmSync(folder, { recursive: true }))
  mkdirSync(join(folder, 'shared'))
  const run = (env: Record<string, string>) => {
    const { status } = spawnSync(process.execPath, [fileURLToPath(new URL('./main.ts', import.meta.url)), 'nothing'], {
      env: { TMPDIR: join(folder, 'shared'), ...env },
    })
    assert.equal(status, 2)
  }
  run({})
  run({ DAGGERBOARD_CACHE: join(folder, 'cache') })
  assert.deepEqual([readdirSync(join(folder, 'shared')), readdirSync(join(folder, 'cache'))], [[], ['compiled']])
})
