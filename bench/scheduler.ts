/** The scheduler under load: latency, throughput, and whether a long history slows it. Durability on, tasks in worker processes, driven over HTTP. */
import { parseArgs } from 'node:util'
import { measureFolder } from './dag-folder.ts'
import { FIGURES, type Figure } from './scheduler/figures.ts'
import { withHistory } from './scheduler/history.ts'
import { median, type Prepare, sideBySide } from './scheduler/side-by-side.ts'

const FOLDER = { files: 1_000, tasks: 10 }
const NAMES = [...Object.keys(FIGURES), 'files']

/**
 * `npm run bench -- scheduler [--only chain40,wide400 …] [--history 100000]`: with `--history`, each figure is measured by turns with one of a
 * home that already holds so many finished runs, too; `…Ratio` is the median of that figure over the one without, round by round.
 */
export async function run(args: string[]): Promise<object> {
  const { values } = parseArgs({ args, options: { only: { type: 'string' }, history: { type: 'string' } } })
  const only = values.only?.split(',') ?? NAMES
  const unknown = only.filter((name) => !NAMES.includes(name))
  if (unknown.length > 0) throw new Error(`There is nothing called ${unknown.join(', ')} to measure. Give some of: ${NAMES.join(', ')}.`)
  const history = Number(values.history ?? 0)
  if (!Number.isSafeInteger(history) || history < 0) throw new Error(`--history takes a number of runs; "${values.history}" is none.`)
  const homes: (Prepare | undefined)[] = history > 0 ? [undefined, (home) => withHistory(home, history)] : [undefined]
  const prefixes = ['', `after${history}Runs.`]
  const figures: Record<string, number> = {}
  for (const name of only) {
    for (const rounds of await (name === 'files' ? folders(homes) : measured(FIGURES[name as keyof typeof FIGURES], homes))) {
      for (const of of Object.keys(rounds[0]?.[0] ?? {})) {
        const all = rounds.map((own) => own.map((round) => round[of] ?? Number.NaN))
        for (const [i, own] of all.entries()) figures[`${prefixes[i]}${of}`] = median(own)
        if (history > 0) figures[`${of}Ratio`] = median((all[1] ?? []).map((value, round) => value / (all[0]?.[round] ?? Number.NaN)))
      }
    }
  }
  for (const prefix of prefixes) {
    const hops = Object.entries(figures).filter(([name]) => name.startsWith(`${prefix}dags`) && name.endsWith('P95HopMilliseconds'))
    if (hops.length > 0) figures[`${prefix}p95HopMilliseconds`] = Math.max(...hops.map(([, value]) => value))
  }
  return figures
}

/** For each figure, for each home, what was measured in each round. */
async function measured(figures: readonly Figure[], homes: readonly (Prepare | undefined)[]): Promise<Record<string, number>[][][]> {
  const found: Record<string, number>[][][] = []
  for (const figure of figures) found.push(await sideBySide(figure, homes))
  return found
}

async function folders(homes: readonly (Prepare | undefined)[]): Promise<Record<string, number>[][][]> {
  const found: Record<string, number>[][] = []
  for (const prepare of homes) found.push([await measureFolder(FOLDER.files, FOLDER.tasks, prepare)])
  return [found]
}
