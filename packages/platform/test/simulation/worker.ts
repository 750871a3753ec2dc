/** Lives through the histories of some seeds in a thread of its own, and tells of the first that was not as it has to be. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import { journaledStore, plainStore } from './faulty-store.ts'
import { History } from './history.ts'
import type { Place } from './platform.ts'

const { first, count, isJournaled } = workerData as { first: number; count: number; isJournaled: boolean }

/** One of so many histories in files has a thread of its own, whose start takes as long as the rest of it. */
const WITH_WRITER = 10

async function live(seed: number, place: Place): Promise<readonly string[]> {
  const history = new History(seed, place)
  try {
    return (await history.live()).slice(0, 5).map((complaint) => `history ${seed}: ${complaint}`)
  } finally {
    history.end()
  }
}

async function liveInFiles(seed: number): Promise<readonly string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'daggerboard-history-'))
  try {
    return await live(seed, {
      file: join(folder, 'platform.db'),
      newRuns: journaledStore(join(folder, 'turns.journal'), seed % WITH_WRITER === 0),
    })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function liveAll(): Promise<readonly string[]> {
  for (let seed = first; seed < first + count; seed++) {
    const complaints = isJournaled ? await liveInFiles(seed) : await live(seed, { file: ':memory:', newRuns: plainStore })
    if (complaints.length > 0) return complaints
  }
  return []
}

parentPort?.postMessage(await liveAll())
