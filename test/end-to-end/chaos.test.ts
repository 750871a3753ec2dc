/** For a minute the platform works under load while it, and the workers, are ended without a warning again and again. */
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import type { PlatformClient } from '../../packages/platform/src/cli/client.ts'
import { RunningPlatform } from './running-platform.ts'

const LOAD_MS = 60_000
const POOL_SLOTS = 2
const MAX_ACTIVE_TASKS = 3
const PARALLELISM = 8
const DAGS = ['chain', 'narrow', 'shared', 'mapped', 'deferred']

/** What a task writes down by itself, beside the platform: that it has begun, and with which answer it was about to end. */
interface Entry {
  readonly kind: 'begun' | 'done'
  readonly dag: string
  readonly run: string
  readonly task: string
  readonly mapIndex: number
  readonly attempt: string
  readonly pid: number
  /** The process of the platform that has started this one. */
  readonly platform: number
  readonly at: number
  readonly heard?: unknown
}

/** A process that was ended without a warning: a worker, or the platform with all of its workers. */
interface Kill {
  readonly pid: number
  readonly at: number
}

const dagFile = (journal: string): string => `
import { appendFileSync } from 'node:fs'
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { dag, Defer } from '@daggerboard/dag'

const platform = process.ppid

/** Answers a token of its own, so that it can be seen whose answer was kept. */
const work = async ({ dagId, runId, taskId, mapIndex = -1, input }) => {
  const attempt = randomUUID()
  const write = (kind, more = {}) => appendFileSync(${JSON.stringify(journal)}, JSON.stringify({ kind, dag: dagId, run: runId, task: taskId, mapIndex, attempt, pid: process.pid, platform, at: Date.now(), ...more }) + '\\n')
  write('begun')
  await sleep(5 + Math.random() * 40)
  write('done', { heard: input?.before ?? null })
  return attempt
}
const options = { maxActiveRuns: 6, defaultArgs: { retries: 1, retryDelay: '100ms' } }
const line = (task, length) => {
  let before
  for (let i = 0; i < length; i++) before = task('t' + i, work, before ? { input: { before } } : {})
}

export const chain = dag('chain', options, ({ task }) => line(task, 4))
export const narrow = dag('narrow', { ...options, maxActiveTasks: ${MAX_ACTIVE_TASKS} }, ({ task }) => {
  for (let i = 0; i < 4; i++) task('capped' + i, work)
  for (let i = 0; i < 4; i++) task('pooled' + i, work, { pool: 'narrow', priorityWeight: i + 1 })
})
export const shared = dag('shared', { ...options, tasksPerWorker: 16 }, ({ task }) => line(task, 6))
export const mapped = dag('mapped', options, ({ task }) => {
  const list = task('list', async () => [1, 2, 3, 4])
  const each = task('each', async (context) => work(context), { expand: { element: list } })
  task('last', work, { input: { before: each } })
})
const waits = {
  name: 'Waits',
  args: {},
  run: async () => { throw new Defer({ until: new Date(Date.now() + 200) }) },
  resume: async (_args, _event, context) => work(context),
}
export const deferred = dag('deferred', options, ({ task }) => {
  task('last', work, { input: { before: task('waits', waits) } })
})
`

test('whatever is ended without a warning under load, no run is lost, no result is kept twice, limits hold and all of it is finished', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'daggerboard-chaos-'))
  const journalFile = join(folder, 'journal.jsonl')
  const home = join(folder, 'home')
  const dags = await mkdtemp(join(folder, 'dags-'))
  await writeFile(join(dags, 'load.ts'), dagFile(journalFile))
  await writeFile(journalFile, '')
  const environment = {
    DAGGERBOARD_DAGS_FOLDER: dags,
    DAGGERBOARD_LOAD_EXAMPLES: 'false',
    DAGGERBOARD_PARALLELISM: String(PARALLELISM),
    DAGGERBOARD__CORE__DAGS_ARE_PAUSED_AT_CREATION: 'false',
  }
  const acknowledged = new Map<string, string>()
  const kills: Kill[] = []
  const journal = async (): Promise<Entry[]> =>
    (await readFile(journalFile, 'utf8'))
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line))
  const random = seeded(20191007)
  const started: RunningPlatform[] = []
  const begin = async (): Promise<PlatformClient> => {
    const platform = await RunningPlatform.start(['start'], { home, environment })
    started.push(platform)
    return platform.client(await platform.endpoint())
  }
  try {
    let client = await begin()
    await client.post('/api/v2/pools', { name: 'narrow', slots: POOL_SLOTS })
    await until(async () => (await client.get<{ total_entries: number }>('/api/v2/dags')).total_entries === DAGS.length)
    const end = Date.now() + LOAD_MS
    for (let i = 0; Date.now() < end; ) {
      const dieAt = Date.now() + 1_500 + random() * 3_000
      let workerDiesAt = Date.now() + 300 + random() * 1_500
      while (Date.now() < Math.min(dieAt, end)) {
        const dagId = DAGS[i % DAGS.length] as string
        const runId = `chaos_${i++}`
        await client.post(`/api/v2/dags/${dagId}/dagRuns`, { logical_date: null, dag_run_id: runId })
        acknowledged.set(runId, dagId)
        if (Date.now() > workerDiesAt) {
          workerDiesAt += 500 + random() * 1_500
          const last = (await journal()).at(-1)
          if (last) endWorker(last.pid, kills)
        }
        await wait(40 + random() * 60)
      }
      // Somebody is asking for a run in the very moment.
      const unheard = client.post('/api/v2/dags/chain/dagRuns', { logical_date: null, dag_run_id: `unheard_${i}` }).then(
        () => acknowledged.set(`unheard_${i}`, 'chain'),
        () => {},
      )
      const platform = started.at(-1) as RunningPlatform
      kills.push({ pid: platform.pid, at: Date.now() })
      await platform.kill()
      await unheard
      client = await begin()
    }
    await until(async () => {
      const open = await client.get<{ total_entries: number }>('/api/v2/dags/~/dagRuns?state=queued&state=running&limit=1')
      return open.total_entries === 0
    })
    const entries = await journal()
    await assertAllFinished(client, acknowledged)
    await assertKeptOnce(client, acknowledged, entries)
    assertLimits(entries, kills, new Set(started.map(({ pid }) => pid)))
    assert.ok(kills.length > 10, `only ${kills.length} processes were ended`)
    assert.ok(acknowledged.size > 200, `only ${acknowledged.size} runs were asked for`)
  } finally {
    await started.at(-1)?.stop()
    await rm(folder, { recursive: true, force: true })
  }
})

/** No run that was acknowledged is lost, and each has succeeded. */
async function assertAllFinished(client: PlatformClient, acknowledged: ReadonlyMap<string, string>): Promise<void> {
  const states = new Map<string, string>()
  for (const dagId of DAGS) {
    for (let offset = 0; ; offset += 100) {
      const page = await client.get<{ dag_runs: { dag_run_id: string; state: string }[] }>(
        `/api/v2/dags/${dagId}/dagRuns?limit=100&offset=${offset}`,
      )
      for (const { dag_run_id, state } of page.dag_runs) states.set(dag_run_id, state)
      if (page.dag_runs.length < 100) break
    }
  }
  const bad = [...acknowledged.keys()].map((runId) => [runId, states.get(runId) ?? 'lost']).filter(([, state]) => state !== 'success')
  assert.deepEqual(bad, [])
}

/** The answer that was kept is one that the task has really given, and the task after it has heard exactly that one. */
async function assertKeptOnce(client: PlatformClient, acknowledged: ReadonlyMap<string, string>, entries: readonly Entry[]): Promise<void> {
  const done = new Map<string, Map<string, Entry>>()
  for (const entry of entries) {
    if (entry.kind !== 'done') continue
    const key = `${entry.run}/${entry.task}`
    done.set(key, (done.get(key) ?? new Map()).set(entry.attempt, entry))
  }
  for (const [runId, dagId] of acknowledged) {
    if (dagId !== 'chain' && dagId !== 'shared') continue
    const { xcom_entries } = await client.get<{ xcom_entries: { task_id: string }[] }>(
      `/api/v2/dags/${dagId}/dagRuns/${runId}/taskInstances/~/xcomEntries?limit=100`,
    )
    const kept = new Map<string, string>()
    for (const { task_id } of xcom_entries) {
      const path = `/api/v2/dags/${dagId}/dagRuns/${runId}/taskInstances/${task_id}/xcomEntries/return_value`
      kept.set(task_id, (await client.get<{ value: string }>(path)).value)
    }
    assert.equal(kept.size, dagId === 'chain' ? 4 : 6, `run ${runId} has kept ${kept.size} answers`)
    for (const [taskId, answer] of kept) {
      const entry = done.get(`${runId}/${taskId}`)?.get(answer)
      assert.ok(entry, `task ${taskId} of run ${runId} never gave the answer that was kept`)
      const before = kept.get(`t${Number(taskId.slice(1)) - 1}`) ?? null
      assert.equal(entry.heard, before, `task ${taskId} of run ${runId} has heard another answer than the one that was kept`)
    }
  }
}

/** At no time more tasks at work than may be: in a pool, of a DAG, and over all. What was ended without a warning ended with its process. */
function assertLimits(entries: readonly Entry[], kills: readonly Kill[], platforms: ReadonlySet<number>): void {
  const ends = new Map(entries.filter(({ kind }) => kind === 'done').map(({ attempt, at }) => [attempt, at]))
  const killOf = (entry: Entry): number => {
    // A worker that came up when its platform was gone already: another process has become its parent, and the guard ends it.
    if (!platforms.has(entry.platform)) return entry.at
    const found = kills.find(({ pid }) => pid === entry.pid || pid === entry.platform)
    assert.ok(found, `task ${entry.task} of run ${entry.run} has begun and never ended, and nobody has ended its process`)
    // A worker hears of the end of its platform a moment later, and may have begun something in it.
    return Math.max(found.at, entry.at)
  }
  const spans = entries
    .filter(({ kind }) => kind === 'begun')
    .map((entry) => ({ ...entry, from: entry.at, to: ends.get(entry.attempt) ?? killOf(entry) }))
    .filter(({ from, to }) => to > from)
  const most = (of: typeof spans) => {
    const marks = of.flatMap((span) => [
      { at: span.from, change: 1, span },
      { at: span.to, change: -1, span },
    ])
    // What ends in the same millisecond in which something begins has made room for it.
    marks.sort((a, b) => a.at - b.at || a.change - b.change)
    const now = new Set<(typeof of)[number]>()
    let found: typeof of = []
    for (const { span, change } of marks) {
      if (change > 0) now.add(span)
      else now.delete(span)
      if (now.size > found.length) found = [...now]
    }
    return found
  }
  const assertAtMost = (limit: number, of: typeof spans, message: string): void => {
    const found = most(of)
    assert.ok(found.length <= limit, `${message}: ${JSON.stringify(found)}; ended processes: ${JSON.stringify(kills)}`)
  }
  assertAtMost(
    POOL_SLOTS,
    spans.filter(({ task }) => task.startsWith('pooled')),
    'the pool was overfull',
  )
  assertAtMost(
    MAX_ACTIVE_TASKS,
    spans.filter(({ dag }) => dag === 'narrow'),
    'the DAG had too many active tasks',
  )
  assertAtMost(PARALLELISM, spans, 'more tasks than the parallelism allows')
}

/** Notes the time first: what takes the place of the killed may begin before this process gets its next turn. */
function endWorker(pid: number, kills: Kill[]): void {
  const at = Date.now()
  try {
    process.kill(pid, 'SIGKILL')
    kills.push({ pid, at })
  } catch {
    // It has ended by itself already.
  }
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await wait(50)
}

/** Mulberry32: the same numbers for the same seed. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
