import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'

test('a process that computes ends with the platform that was killed, and one that has ended before is not looked for', {
  timeout: 20_000,
}, async () => {
  const guard = new URL('./orphan-guard.ts', import.meta.url).href
  const script = `
    import { spawn } from 'node:child_process'
    import { OrphanGuard } from '${guard}'
    const guard = new OrphanGuard()
    const start = () => spawn('/bin/sh', ['-c', 'while :; do :; done'], { detached: true, stdio: 'ignore' })
    const [busy, other] = [start(), start()]
    guard.watch(busy.pid)
    guard.watch(other.pid)
    guard.forget(other.pid)
    setTimeout(() => console.log(busy.pid, other.pid), 50)
    setInterval(() => {}, 1000)`
  const platform = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [said] = (await once(platform.stdout, 'data')) as [Buffer]
  const [busy, other] = said.toString().trim().split(' ').map(Number) as [number, number]
  try {
    assert.equal(await isThere(busy), true)
    platform.kill('SIGKILL')
    while (await isThere(busy)) await new Promise(setImmediate)
    assert.equal(await isThere(other), true)
  } finally {
    for (const pid of [busy, other]) if (await isThere(pid)) process.kill(-pid, 'SIGKILL')
  }
})

async function isThere(pid: number): Promise<boolean> {
  const state = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  return state !== '' && !/ [ZX] /.test(state)
}
