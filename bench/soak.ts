/** Whether a platform that works without end keeps its size: steady load of all kinds of tasks, and the memory of its processes over time. */
import { setTimeout as wait } from 'node:timers/promises'
import { residentMegabytes } from './load/processes.ts'
import { MeasuredPlatform } from './scheduler/platform.ts'

const SAMPLE_MS = 10_000
const DEFAULT_MINUTES = 60
const DEFAULT_RUNS_PER_SECOND = 5
/** What is loaded and compiled at first is no growth. */
const WARM_UP = 1 / 4

const FILE = `import { dag, Defer } from '@daggerboard/dag'

const light = async ({ log }) => {
  log('a line')
  return { rows: [1, 2, 3] }
}
export const chain = dag('chain', {}, ({ task }) => {
  let before
  for (let i = 0; i < 5; i++) before = task('t' + i, light, before ? { input: { before } } : {})
})
export const mapped = dag('mapped', {}, ({ task }) => {
  task('each', async ({ input }) => input.element, { expand: { element: task('list', async () => [1, 2, 3, 4]) } })
})
export const retried = dag('retried', {}, ({ task }) => {
  task('second', async ({ tryNumber }) => {
    if (tryNumber === 1) throw new Error('the first try fails')
  }, { retries: 1, retryDelay: '200ms' })
})
export const deferred = dag('deferred', { tasksPerWorker: 16 }, ({ task }) => {
  task('waits', {
    name: 'Waits',
    args: { day: '{{ ds }}' },
    triggers: { soon: async () => new Promise((resolve) => setTimeout(resolve, 300)) },
    run: async () => {
      throw new Defer({ trigger: 'soon', args: {} })
    },
    resume: async () => 'done',
  })
})
`
const DAGS = ['chain', 'mapped', 'retried', 'deferred']

/**
 * `npm run bench -- soak [MINUTES] [RUNS_PER_SECOND]`: `…PerHour` is the slope of a line through the samples after the first quarter,
 * of the platform's own process and of all its processes together. Linux only (it reads /proc).
 */
export async function run([minutes = String(DEFAULT_MINUTES), runsPerSecond = String(DEFAULT_RUNS_PER_SECOND)]: string[]): Promise<object> {
  const platform = await MeasuredPlatform.start({ files: { 'load.ts': FILE } })
  try {
    await platform.unpause('%')
    const began = Date.now()
    const end = began + Number(minutes) * 60_000
    const samples: { hours: number; own: number; all: number }[] = []
    let nextSample = began
    let runs = 0
    while (Date.now() < end) {
      await platform.trigger(DAGS[runs % DAGS.length] as string)
      runs++
      if (Date.now() >= nextSample) {
        nextSample += SAMPLE_MS
        const { own, all } = residentMegabytes(platform.pid)
        samples.push({ hours: (Date.now() - began) / 3_600_000, own, all })
        process.stderr.write(`${runs} runs, ${own.toFixed(0)} MB of its own, ${all.toFixed(0)} MB in all\n`)
      }
      await wait(Math.max(0, began + (runs * 1000) / Number(runsPerSecond) - Date.now()))
    }
    const steady = samples.slice(Math.floor(samples.length * WARM_UP))
    return {
      minutes: Number(minutes),
      runs,
      ownMegabytesAtFirst: steady[0]?.own,
      ownMegabytesAtLast: steady.at(-1)?.own,
      ownMegabytesPerHour: slope(steady.map(({ hours, own }) => [hours, own])),
      allMegabytesAtFirst: steady[0]?.all,
      allMegabytesAtLast: steady.at(-1)?.all,
      allMegabytesPerHour: slope(steady.map(({ hours, all }) => [hours, all])),
    }
  } finally {
    await platform.remove()
  }
}

/** Of the least-squares line. */
function slope(points: readonly (readonly [x: number, y: number])[]): number {
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / points.length
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / points.length
  const above = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0)
  return above / points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0)
}
