import assert from 'node:assert/strict'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'

/** More of them: `HISTORIES=20000 JOURNALED=2000 node --test …/simulation.test.ts`. */
const HISTORIES = Number(process.env.HISTORIES ?? 1_400)
const JOURNALED = Number(process.env.JOURNALED ?? 100)

async function complaintsOf(histories: number, isJournaled: boolean): Promise<string[]> {
  const threads = availableParallelism()
  const count = Math.ceil(histories / threads)
  const complaints = await Promise.all(
    Array.from({ length: threads }, async (_, i) => {
      const workerData = { first: i * count, count, isJournaled }
      const worker = new Worker(new URL('../../test/simulation/worker.ts', import.meta.url), { workerData })
      const [found] = (await once(worker, 'message')) as [readonly string[]]
      return found
    }),
  )
  return complaints.flat()
}

test('in thousands of histories with crashes, faults of the store, backfills and commands by hand, nothing is lost, nothing runs twice, limits hold and all of it ends', async () => {
  assert.deepEqual(await complaintsOf(HISTORIES, false), [])
})

test('so it is with a journal, whose platform loses at a crash all that was not durable', async () => {
  assert.deepEqual(await complaintsOf(JOURNALED, true), [])
})
