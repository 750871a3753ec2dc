/** How long the transform of one week takes: generated events, loaded into the warehouse, through a cluster into CSV parts. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateEvents } from '../examples/shop-events/generator.ts'
import { LocalCluster } from '../packages/platform/test/local-cluster.ts'

const SCRIPT = join(import.meta.dirname, '../examples/purchase-predict/transform/create_events_data.sql')
const WEEK = { start: '2026-01-05', end: '2026-01-12' }

/** `npm run bench -- transform [EVENTS]`: `seconds` is the job alone, from submission to DONE, the slice's export included. */
export async function run([size = '1000000']: string[]): Promise<object> {
  const events = Number(size)
  const directory = await mkdtemp(join(tmpdir(), 'bench-transform-'))
  const local = new LocalCluster(directory)
  try {
    const file = join(directory, 'events.csv')
    const generateSeconds = await seconds(() =>
      generateEvents({ file, events, from: new Date(`${WEEK.start}T00:00:00Z`), weeks: 1, seed: 1 }),
    )
    const loadSeconds = await seconds(() => local.warehouse.loadEvents(file))
    await local.create('bench')
    const variables = { events: 'daggerboard.shop.events', ...WEEK, output: 'gs://daggerboard-data/primary/bench/data.csv/' }
    const script = await readFile(SCRIPT, 'utf8')
    const begin = performance.now()
    const job = await local.run('bench', script, variables)
    const jobSeconds = (performance.now() - begin) / 1000
    if (job.status.state !== 'DONE') throw new Error(`The transform ended as ${job.status.state}: ${job.status.detail}`)
    return {
      events: job.inputRows,
      rows: job.outputRows,
      generateSeconds,
      loadSeconds,
      seconds: jobSeconds,
      rowsPerSecond: Math.round((job.inputRows ?? 0) / jobSeconds),
    }
  } finally {
    await local.stop()
    await rm(directory, { recursive: true, force: true })
  }
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const begin = performance.now()
  await work()
  return (performance.now() - begin) / 1000
}
