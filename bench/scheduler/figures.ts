/** What is measured of the scheduler: the DAG files of a platform of its own, and a measurement of it that is made several times. */
import { chain, sleepers, wide } from './dags.ts'
import type { MeasuredPlatform, MeasuredRun, MeasuredTask } from './platform.ts'

export interface Figure {
  readonly files: Readonly<Record<string, string>>
  readonly environment?: Readonly<Record<string, string>>
  /** So many measurements do not count: they start the workers, and the compiler gets through with the code. */
  readonly before: number
  readonly counted: number
  /** Values by the names that they are printed under. */
  measure(platform: MeasuredPlatform): Promise<Record<string, number>>
}

const REPEATS = 5
const LONG_REPEATS = 3
const STORMS_BEFORE = 5
const STORMS = 9

/** Of the workers. */
const SLEEPER_SLOTS = 100
/** Beside those that run, as many are queued for a worker, as behind any executor: the next one begins the moment that one ends. */
const SLEEPERS_QUEUED = 100

/**
 * Slots for all DAGs of a storm. With as many chains at work as there are, each of them would wait for all others at every hop (100 chains at
 * 5,000 tasks a second: 20 ms, whatever the scheduler does), so those that have begun are finished first.
 */
const STORM_SLOTS = 12
/** All weights alike: of tasks that are ready, those of the older run begin first. */
const STORM_OPTIONS = "{ tasksPerWorker: 64, maxActiveTasks: 64, defaultArgs: { weightRule: 'absolute' } }"

/** By the names that `--only` takes. */
export const FIGURES = {
  /** 40 light tasks one after the other, each in a worker of its own. */
  chain40: [triggered('chain40Seconds', 'chain', chain('chain', 40))],
  /** 400 light tasks, 10 at a time. */
  wide400: [triggered('wide400Seconds', 'wide', wide('wide', 400, '{ maxActiveTasks: 10 }'))],
  sleepers: [sleeping('sleepers10000PerSecond', 10_000, SLEEPERS_QUEUED), sleeping('sleepersWithoutQueue10000PerSecond', 10_000, 0)],
  dags100x10: [storm(100, 10)],
  dags10x100: [storm(10, 100)],
} satisfies Readonly<Record<string, readonly Figure[]>>

/** Seconds from the request that triggers a run to the end of it. */
function triggered(name: string, dagId: string, file: string): Figure {
  return {
    files: { [`${dagId}.ts`]: file },
    before: 1,
    counted: REPEATS,
    measure: async (platform) => {
      await platform.unpause(dagId)
      const began = Date.now()
      const { endedAt } = await platform.finished(dagId, await platform.trigger(dagId))
      await platform.settle()
      return { [name]: (endedAt - began) / 1000 }
    },
  }
}

/** Tasks that sleep for 100 ms, on 100 slots: 1,000 a second are possible. */
function sleeping(name: string, count: number, queued: number): Figure {
  const inFlight = SLEEPER_SLOTS + queued
  return {
    files: { 'sleepers.ts': sleepers('sleepers', count, 100, `{ maxActiveTasks: ${inFlight}, tasksPerWorker: ${SLEEPER_SLOTS} }`) },
    environment: { DAGGERBOARD_PARALLELISM: String(inFlight), DAGGERBOARD__WORKERS__CONCURRENCY: String(SLEEPER_SLOTS) },
    before: 1,
    counted: LONG_REPEATS,
    measure: async (platform) => {
      const [{ startedAt, endedAt }] = (await letGo(platform, 'sleepers', ['sleepers'])) as [MeasuredRun]
      return { [name]: (count * 1000) / (endedAt - startedAt) }
    },
  }
}

/** Chains of light tasks that share workers, all let go at once. */
function storm(dags: number, length: number): Figure {
  const ids = Array.from({ length: dags }, (_, i) => `storm_${i}`)
  const name = `dags${dags}x${length}`
  return {
    files: Object.fromEntries(ids.map((id) => [`${id}.ts`, chain(id, length, STORM_OPTIONS)])),
    environment: { DAGGERBOARD_PARALLELISM: String(STORM_SLOTS) },
    before: STORMS_BEFORE,
    counted: STORMS,
    measure: async (platform) => {
      const runs = await letGo(platform, 'storm_%', ids)
      const hops: number[] = []
      let tasks = 0
      let lag = 0
      for (const { dagId, runId, startedAt } of runs) {
        const own = await platform.tasks(dagId, runId)
        tasks += own.length
        hops.push(...hopsOf(own))
        lag += hopsOf(own).reduce((sum, hop) => sum + hop, (own[0]?.startedAt ?? startedAt) - startedAt)
      }
      const seconds = (Math.max(...runs.map((run) => run.endedAt)) - Math.min(...runs.map((run) => run.startedAt))) / 1000
      return {
        [`${name}PerSecond`]: tasks / seconds,
        // From the end of the task before, as its worker saw it, to the start of a task in its worker. First tasks of runs have none before.
        [`${name}P95HopMilliseconds`]: percentile(hops, 0.95),
        // Of all tasks; first ones wait from the start of their run on.
        [`${name}SumOfLagSeconds`]: lag / 1000,
      }
    },
  }
}

/** One run of each DAG, all of which begin at the same time. */
async function letGo(platform: MeasuredPlatform, dagIdPattern: string, dagIds: readonly string[]): Promise<MeasuredRun[]> {
  await platform.pause(dagIdPattern)
  const runIds: string[] = []
  for (const dagId of dagIds) runIds.push(await platform.trigger(dagId))
  await platform.settle()
  await platform.unpause(dagIdPattern)
  const runs: MeasuredRun[] = []
  for (const [i, dagId] of dagIds.entries()) runs.push(await platform.finished(dagId, runIds[i] ?? ''))
  return runs
}

/** Of a chain. */
const hopsOf = (tasks: readonly MeasuredTask[]): number[] =>
  tasks.slice(1).map(({ startedAt }, i) => startedAt - (tasks[i]?.endedAt ?? startedAt))

const percentile = (values: readonly number[], share: number): number =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? Number.NaN
