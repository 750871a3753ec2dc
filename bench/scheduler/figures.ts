/** One function for each figure: each drives a platform of its own and answers what it has measured. */
import { chain, sleepers, wide } from './dags.ts'
import { MeasuredPlatform, type MeasuredRun, type MeasuredTask } from './platform.ts'

type Prepare = (home: string) => Promise<void>

const REPEATS = 5
/** A storm is over in a fifth of a second: the compiler is through with the platform's code after some of them. */
const STORMS_BEFORE = 5
const STORMS = 9

export const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN

const percentile = (values: readonly number[], share: number): number =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? Number.NaN

/** Seconds from the request that triggers a run to the end of it; median of several. */
async function triggered(platform: MeasuredPlatform, dagId: string): Promise<number> {
  const seconds: number[] = []
  await platform.unpause(dagId)
  // The first run starts the workers.
  for (let i = 0; i <= REPEATS; i++) {
    const began = Date.now()
    const { endedAt } = await platform.finished(dagId, await platform.trigger(dagId))
    if (i > 0) seconds.push((endedAt - began) / 1000)
    await platform.settle()
  }
  return median(seconds)
}

/** 40 light tasks one after the other, each in a worker of its own. */
export async function chain40Seconds(prepare?: Prepare): Promise<number> {
  return measured({ files: { 'chain.ts': chain('chain', 40) }, ...(prepare && { prepare }) }, (platform) => triggered(platform, 'chain'))
}

/** 400 light tasks, 10 at a time. */
export async function wide400Seconds(prepare?: Prepare): Promise<number> {
  const files = { 'wide.ts': wide('wide', 400, '{ maxActiveTasks: 10 }') }
  return measured({ files, ...(prepare && { prepare }) }, (platform) => triggered(platform, 'wide'))
}

/** Of the workers. */
const SLEEPER_SLOTS = 100
/** Beside those that run, as many are queued for a worker, as behind any executor: the next one begins the moment that one ends. */
export const SLEEPERS_QUEUED = 100

/** Tasks that sleep for 100 ms, on 100 slots: 1,000 a second are possible. The first run starts the worker, in which the DAG's file is read. */
export async function sleepersPerSecond(count: number, queued: number, prepare?: Prepare): Promise<number> {
  const inFlight = SLEEPER_SLOTS + queued
  const files = { 'sleepers.ts': sleepers('sleepers', count, 100, `{ maxActiveTasks: ${inFlight}, tasksPerWorker: ${SLEEPER_SLOTS} }`) }
  const environment = { DAGGERBOARD_PARALLELISM: String(inFlight), DAGGERBOARD__WORKERS__CONCURRENCY: String(SLEEPER_SLOTS) }
  return measured({ files, environment, ...(prepare && { prepare }) }, async (platform) => {
    const rate = async () => {
      await platform.pause('sleepers')
      const runId = await platform.trigger('sleepers')
      await platform.settle()
      await platform.unpause('sleepers')
      const { startedAt, endedAt } = await platform.finished('sleepers', runId)
      return (count * 1000) / (endedAt - startedAt)
    }
    await rate()
    return rate()
  })
}

export interface Storm {
  readonly tasksPerSecond: number
  /** From the end of the task before, as its worker saw it, to the start of a task in its worker. First tasks of runs have none before. */
  readonly p95HopMilliseconds: number
  /** Of all tasks; first ones wait from the start of their run on. */
  readonly sumOfLagSeconds: number
}

/**
 * Slots for all DAGs. With as many chains at work as there are, each of them would wait for all others at every hop (100 chains at
 * 5,000 tasks a second: 20 ms, whatever the scheduler does), so those that have begun are finished first.
 */
const STORM_SLOTS = 12
/** All weights alike: of tasks that are ready, those of the older run begin first. */
const STORM_OPTIONS = "{ tasksPerWorker: 64, maxActiveTasks: 64, defaultArgs: { weightRule: 'absolute' } }"

/** Chains of light tasks that share workers, all let go at once; median of several by tasks a second. */
export async function storm(dags: number, length: number, prepare?: Prepare): Promise<Storm> {
  const ids = Array.from({ length: dags }, (_, i) => `storm_${i}`)
  const files = Object.fromEntries(ids.map((id) => [`${id}.ts`, chain(id, length, STORM_OPTIONS)]))
  return measured(
    { files, environment: { DAGGERBOARD_PARALLELISM: String(STORM_SLOTS) }, ...(prepare && { prepare }) },
    async (platform) => {
      const storms: Storm[] = []
      for (let i = 0; i < STORMS_BEFORE + STORMS; i++) {
        const found = await oneStorm(platform, ids)
        if (i >= STORMS_BEFORE) storms.push(found)
      }
      return storms.sort((a, b) => a.tasksPerSecond - b.tasksPerSecond)[Math.floor(storms.length / 2)] as Storm
    },
  )
}

async function oneStorm(platform: MeasuredPlatform, ids: readonly string[]): Promise<Storm> {
  await platform.pause('storm_%')
  const runIds: string[] = []
  for (const id of ids) runIds.push(await platform.trigger(id))
  await platform.settle()
  await platform.unpause('storm_%')
  const runs: MeasuredRun[] = []
  for (const [i, id] of ids.entries()) runs.push(await platform.finished(id, runIds[i] ?? ''))
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
    tasksPerSecond: tasks / seconds,
    p95HopMilliseconds: percentile(hops, 0.95),
    sumOfLagSeconds: lag / 1000,
  }
}

/** Of a chain. */
const hopsOf = (tasks: readonly MeasuredTask[]): number[] =>
  tasks.slice(1).map(({ startedAt }, i) => startedAt - (tasks[i]?.endedAt ?? startedAt))

async function measured<T>(
  options: Parameters<typeof MeasuredPlatform.start>[0],
  measure: (platform: MeasuredPlatform) => Promise<T>,
): Promise<T> {
  const platform = await MeasuredPlatform.start(options)
  try {
    return await measure(platform)
  } finally {
    await platform.remove()
  }
}
