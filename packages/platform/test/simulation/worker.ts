/** Lives through the histories of some seeds in a thread of its own, and tells of the first that was not as it has to be. */
import { parentPort, workerData } from 'node:worker_threads'
import { Database } from '../../src/adapters/sqlite/database.ts'
import { History } from './history.ts'

const { first, count } = workerData as { first: number; count: number }

async function live(): Promise<readonly string[]> {
  for (let seed = first; seed < first + count; seed++) {
    const db = new Database(':memory:')
    const complaints = await new History(seed, db).live()
    db.close()
    if (complaints.length > 0) return complaints.slice(0, 5).map((complaint) => `history ${seed}: ${complaint}`)
  }
  return []
}

parentPort?.postMessage(await live())
