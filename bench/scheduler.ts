/** The scheduler under load: latency, throughput, and whether a long history slows it. Durability on, tasks in worker processes, driven over HTTP. */
import { parseArgs } from 'node:util'
import { measureFolder } from './dag-folder.ts'
import { chain40Seconds, SLEEPERS_QUEUED, sleepersPerSecond, storm, wide400Seconds } from './scheduler/figures.ts'
import { withHistory } from './scheduler/history.ts'

const FIGURES = ['chain40', 'wide400', 'sleepers', 'dags100x10', 'dags10x100', 'files'] as const

/**
 * `npm run bench -- scheduler [--only chain40,wide400 …] [--history 100000]`: with `--history`, each figure is measured in a home
 * that already holds so many finished runs, too, and `…Ratio` is that figure over the one without.
 */
export async function run(args: string[]): Promise<object> {
  const { values } = parseArgs({ args, options: { only: { type: 'string' }, history: { type: 'string' } } })
  const only: readonly string[] = values.only?.split(',') ?? FIGURES
  const unknown = only.filter((name) => !(FIGURES as readonly string[]).includes(name))
  if (unknown.length > 0) throw new Error(`There is nothing called ${unknown.join(', ')} to measure. Give some of: ${FIGURES.join(', ')}.`)
  const figures: Record<string, number> = {}
  const measure = async (prefix: string, prepare?: (home: string) => Promise<void>) => {
    if (only.includes('chain40')) figures[`${prefix}chain40Seconds`] = await chain40Seconds(prepare)
    if (only.includes('wide400')) figures[`${prefix}wide400Seconds`] = await wide400Seconds(prepare)
    if (only.includes('sleepers')) figures[`${prefix}sleepers10000PerSecond`] = await sleepersPerSecond(10_000, SLEEPERS_QUEUED, prepare)
    if (only.includes('sleepers')) figures[`${prefix}sleepersWithoutQueue10000PerSecond`] = await sleepersPerSecond(10_000, 0, prepare)
    if (only.includes('files'))
      for (const [name, value] of Object.entries(await measureFolder(1_000, 10, prepare))) figures[`${prefix}${name}`] = value
    for (const [dags, length] of [
      [100, 10],
      [10, 100],
    ] as const) {
      const name = `dags${dags}x${length}`
      if (!only.includes(name)) continue
      const found = await storm(dags, length, prepare)
      figures[`${prefix}${name}PerSecond`] = found.tasksPerSecond
      figures[`${prefix}${name}P95HopMilliseconds`] = found.p95HopMilliseconds
      figures[`${prefix}${name}SumOfLagSeconds`] = found.sumOfLagSeconds
      figures[`${prefix}p95HopMilliseconds`] = Math.max(figures[`${prefix}p95HopMilliseconds`] ?? 0, found.p95HopMilliseconds)
    }
  }
  await measure('')
  if (!values.history) return figures
  const history = Number(values.history)
  await measure(`after${history}Runs.`, (home) => withHistory(home, history))
  for (const [name, value] of Object.entries(figures)) {
    const after = figures[`after${history}Runs.${name}`]
    if (after !== undefined) figures[`${name}Ratio`] = after / value
  }
  return figures
}
