/** How fast MLflow's protocol is answered: runs created and logged by 8 clients over HTTP, then three searches over all of them. */
import { RunningPlatform } from '../test/end-to-end/running-platform.ts'

const CLIENTS = 8
const KEYS = [1, 2, 3, 4, 5]
const BATCHES = 1000
const SEARCHES = 5

/** Of `GET …/runs/search`: a plain page, one filtered by a metric and a parameter, one by a metric alone; both ordered by a metric. */
const QUERIES = {
  plainSearchMilliseconds: {},
  metricAndParamSearchMilliseconds: { filter: "metrics.m1 > 0.5 and params.p1 like '0.9%'", order_by: ['metrics.m2 DESC'] },
  metricSearchMilliseconds: { filter: 'metrics.m1 > 0.5', order_by: ['metrics.m2 DESC'] },
}

/** `npm run bench -- models [RUNS]`: each run has 5 metrics and 5 parameters; a search answers its first page of 100, the median of 5 is told. */
export async function run([size = '30000']: string[]): Promise<object> {
  const runs = Number(size)
  const platform = await RunningPlatform.start(['start'])
  try {
    const line = await platform.line((text) => /^\s*Web\s+http/.test(text))
    const endpoint = new URL(/http\S+/.exec(line)?.[0] ?? '').origin
    const client = await platform.client(endpoint)
    const call = <Answer>(path: string, body: object) => client.post<Answer>(`/api/2.0/mlflow/${path}`, body)
    const { experiment_id } = await call<{ experiment_id: string }>('experiments/create', { name: 'bench' })

    const ids: string[] = []
    const createSeconds = await together(runs, async () => {
      const { run } = await call<{ run: { info: { run_id: string } } }>('runs/create', { experiment_id })
      ids.push(run.info.run_id)
    })
    const random = sequence(1)
    await together(runs, (index) => call('runs/log-batch', { run_id: ids[index], ...facts(random) }))
    const batchSeconds = await together(BATCHES, (index) => {
      const metrics = Array.from({ length: 10 }, (_, n) => ({ key: `loss${n}`, value: random(), timestamp: index, step: index }))
      return call('runs/log-batch', { run_id: ids[index % 100], metrics })
    })

    const searches: Record<string, number> = {}
    for (const [name, query] of Object.entries(QUERIES)) {
      const spent: number[] = []
      for (let i = 0; i < SEARCHES; i++) {
        const began = performance.now()
        const { runs: page = [] } = await call<{ runs?: object[] }>('runs/search', {
          experiment_ids: [experiment_id],
          max_results: 100,
          ...query,
        })
        spent.push(performance.now() - began)
        if (page.length !== Math.min(100, runs) && runs >= 10_000) throw new Error(`${name} found ${page.length} runs.`)
      }
      searches[name] = spent.sort((a, b) => a - b)[Math.floor(SEARCHES / 2)] as number
    }
    return { runs, clients: CLIENTS, createdRunsPerSecond: runs / createSeconds, batchesOf10PerSecond: BATCHES / batchSeconds, ...searches }
  } finally {
    await platform.remove()
  }
}

const facts = (random: () => number) => ({
  metrics: KEYS.map((n) => ({ key: `m${n}`, value: random(), timestamp: 1, step: 0 })),
  params: KEYS.map((n) => ({ key: `p${n}`, value: String(random()) })),
})

/** The seconds that `count` pieces of work take, a few at a time. */
async function together(count: number, work: (index: number) => Promise<unknown>): Promise<number> {
  const began = performance.now()
  let next = 0
  const client = async () => {
    while (next < count) await work(next++)
  }
  await Promise.all(Array.from({ length: CLIENTS }, client))
  return (performance.now() - began) / 1000
}

/** Numbers from 0 to 1 that are the same each time (mulberry32). */
function sequence(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
