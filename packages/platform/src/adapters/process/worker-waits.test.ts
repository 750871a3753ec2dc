/** A wait that misbehaves is told from those that share its process. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { poolOver as pool } from '../../../test/worker-pool.ts'
import type { WorkerPoolOptions } from './worker-pool.ts'

/** Triggers that wait for a file, and others that do not let the process of all go on. */
const FILE = `import { existsSync, writeFileSync } from 'node:fs'
const waits = { name: 'Waits', args: {}, async run() {},
  triggers: {
    async file({ path }) { while (!existsSync(path)) await new Promise((done) => setTimeout(done, 5)); return process.pid },
    async blocks({ path, told }) { writeFileSync(told, ''); while (!existsSync(path)); return process.pid },
    async ends() { process.kill(process.pid, 'SIGKILL') },
    async grows() { for (const all = []; ; ) { all.push(new Array(1e5).fill(0.5)); await new Promise(setImmediate) } } } }
export default dag('d', {}, ({ task, map }) => void task('waits', waits))`

async function waiting(t: TestContext, options: Partial<WorkerPoolOptions>) {
  const { workers, attempt, folder, log } = await pool(t, FILE, options)
  const at = (name: string) => join(folder, name)
  const wait = (name: string, mapIndex: number, path = '') =>
    workers.wait(
      attempt('waits', { mapIndex }),
      { kind: 'trigger', name, args: { path: at(path), told: at('told') } },
      new AbortController().signal,
    )
  return { wait, log, open: (gate: string) => writeFile(at(gate), ''), isThere: (name: string) => existsSync(at(name)) }
}

test('a trigger that lets nothing else run is soon alone in its process, and only its own task waits for it', async (t) => {
  const { wait, log, open, isThere } = await waiting(t, { waitsPerProcess: 8, patience: { pulseMs: 50 } })
  let isBlocked = true
  const blocked = wait('blocks', 0, 'let go').finally(() => {
    isBlocked = false
  })
  const others = [1, 2, 3, 4, 5].map((index) => wait('file', index, 'gate'))
  while (!isThere('told')) await new Promise(setImmediate)
  await open('gate')
  const pids = await Promise.all(others)
  assert.ok(isBlocked)
  await open('let go')
  assert.ok(!pids.includes(await blocked))
  assert.match(await log('waits', 0), /because one of the waits in it let nothing else run in it[\s\S]*The wait begins anew/)
})

for (const [name, how] of [
  ['ends', 'was ended by SIGKILL'],
  ['grows', 'ran out of its 40 MiB of memory'],
] as const)
  test(`the waits that share a process with one which ${name === 'ends' ? 'ends it' : 'eats its memory'} again and again go on, and that one fails`, async (t) => {
    const { wait, open } = await waiting(t, { waitsPerProcess: 8, memoryMb: 40 })
    const others = [1, 2, 3, 4, 5].map((index) => wait('file', index, 'gate'))
    await assert.rejects(wait(name, 0), new RegExp(`The worker process ${how}`))
    await open('gate')
    assert.equal((await Promise.all(others)).length, 5)
  })
