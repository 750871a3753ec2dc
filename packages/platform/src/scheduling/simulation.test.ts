import assert from 'node:assert/strict'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'

const HISTORIES = 2_000

test('in thousands of histories with crashes, faults of the store and commands by hand, nothing is lost, nothing runs twice, limits hold and all of it ends', async () => {
  const threads = availableParallelism()
  const count = Math.ceil(HISTORIES / threads)
  const complaints = await Promise.all(
    Array.from({ length: threads }, async (_, i) => {
      const worker = new Worker(new URL('../../test/simulation/worker.ts', import.meta.url), { workerData: { first: i * count, count } })
      const [found] = (await once(worker, 'message')) as [readonly string[]]
      return found
    }),
  )
  assert.deepEqual(complaints.flat(), [])
})
