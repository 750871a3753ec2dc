import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'

/** Keeps some 20 MB and makes much that outlives a collection or two; answers how large the heap was at most, in MiB. Timers get their turn between. */
const LOAD = `
import { setTimeout as turn } from 'node:timers/promises'
const kept = Array.from({ length: 100_000 }, (_, i) => ({ i, text: 'kept ' + i, list: [i] }))
if (process.env.BOUND === 'yes') await (await import(process.env.MODULE)).boundHeap(1)
let queue = []
let most = 0
for (let i = 0; i < 8_000_000; i++) {
  queue.push({ i, text: 'new ' + i, next: { i } })
  if (queue.length > 200_000) queue = queue.slice(100_000)
  if (i % 50_000 === 0) {
    most = Math.max(most, process.memoryUsage().heapTotal)
    await turn()
  }
}
console.log(Math.round(most / 1024 / 1024), kept.length)
`

async function largestHeap(bound: 'yes' | 'no'): Promise<number> {
  const env = { ...process.env, BOUND: bound, MODULE: new URL('./resident-set.ts', import.meta.url).href }
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', LOAD], { env })
  return Number.parseInt(stdout, 10)
}

test('the heap of a platform stays well below what V8 would let it grow to under the same load', async () => {
  const [bound, free] = await Promise.all([largestHeap('yes'), largestHeap('no')])
  assert.ok(bound < free * 0.8, `${bound} MiB with the bound, ${free} MiB without`)
})
