/** The selection against a model that looks at everything: limits are never exceeded, and nobody waits whose every limit has room. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type DagDocument, dag } from '@daggerboard/dag'
import { Board, type KnownDag } from './board.ts'
import { planOf } from './dag-plan.ts'
import { scheduledRun } from './dag-run.ts'
import { newInstance } from './reconcile.ts'
import { select } from './select.ts'
import { isActive, moveInstance, type TaskInstance } from './task-instance.ts'
import { timetable } from './timetable.ts'
import { Turn } from './turn.ts'

/** Mulberry32: the same numbers for the same seed. */
function random(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) % below
  }
}

const NOW = new Date('2019-10-07T05:00:00Z')

function knownDag(document: DagDocument, isPaused: boolean): KnownDag {
  const record = {
    dagId: document.dagId,
    document,
    file: 'd.ts',
    source: '',
    isPaused,
    isStale: false,
    hasImportErrors: false,
    parsedAt: '',
  }
  return { record, plan: planOf(document), timetable: timetable(document.schedule, 'UTC'), lastInterval: null, due: undefined }
}

function randomDag(dagId: string, below: (n: number) => number): DagDocument {
  const { document } = dag(dagId, {}, ({ task }) => {
    for (let i = 0; i < 4; i++) task(`t${i}`, async () => {})
  })
  const tasks = document.tasks.map((task) => ({
    ...task,
    pool: ['default_pool', 'small', 'gone'][below(10) === 0 ? 2 : below(2)] as string,
    poolSlots: 1 + below(3),
    priorityWeight: below(4),
    weightRule: 'absolute' as const,
    maxActivePerDag: below(4) === 0 ? 1 + below(2) : null,
    maxActivePerRun: below(4) === 0 ? 1 : null,
  }))
  return { ...document, tasks, maxActiveTasks: 1 + below(6) }
}

/** What the limits say when everything is counted anew. */
function hasRoom(board: Board, instance: TaskInstance, parallelism: number): boolean {
  const dagRecord = board.dags.get(instance.dagId)?.record
  const task = dagRecord?.document.tasks.find(({ taskId }) => taskId === instance.taskId)
  const active = [...board.instances()].filter(({ state }) => isActive(state))
  const count = (isMeant: (one: TaskInstance) => boolean) => active.filter(isMeant).length
  const pool = board.slots.pool(instance.pool)
  const taken = active.filter((one) => one.pool === instance.pool).reduce((sum, one) => sum + one.poolSlots, 0)
  if (!dagRecord || !task || !pool || dagRecord.isPaused) return false
  const ofDag = count(({ dagId }) => dagId === instance.dagId)
  const ofTask = count(({ dagId, taskId }) => dagId === instance.dagId && taskId === instance.taskId)
  const ofTaskInRun = count((one) => one.dagId === instance.dagId && one.taskId === instance.taskId && one.runId === instance.runId)
  return (
    active.length < parallelism &&
    ofDag < dagRecord.document.maxActiveTasks &&
    ofTask < (task.maxActivePerDag ?? Number.POSITIVE_INFINITY) &&
    ofTaskInRun < (task.maxActivePerRun ?? Number.POSITIVE_INFINITY) &&
    (pool.slots < 0 || taken + instance.poolSlots <= pool.slots)
  )
}

function checkLimits(board: Board, parallelism: number, where: string): void {
  for (const instance of board.instances()) {
    if (!isActive(instance.state)) continue
    // Without itself there must have been room for it.
    const of = board.runs.get(`${instance.dagId}/${instance.runId}`)
    assert.ok(of, where)
  }
  const active = [...board.instances()].filter(({ state }) => isActive(state))
  assert.ok(active.length <= parallelism, where)
  const counts = (key: (one: TaskInstance) => string, weight = (_: TaskInstance) => 1) => {
    const found = new Map<string, number>()
    for (const one of active) found.set(key(one), (found.get(key(one)) ?? 0) + weight(one))
    return found
  }
  for (const [dagId, count] of counts((one) => one.dagId)) {
    assert.ok(count <= (board.dags.get(dagId)?.record.document.maxActiveTasks ?? 0), where)
  }
  const taken = counts(
    (one) => one.pool,
    (one) => one.poolSlots,
  )
  for (const [pool, slots] of taken) {
    const known = board.slots.pool(pool)
    assert.ok(known && (known.slots < 0 || slots <= known.slots), where)
  }
}

test('after every selection no task is left ready whose every limit has room, and no limit is exceeded', () => {
  for (let seed = 1; seed <= 40; seed++) {
    const below = random(seed)
    const board = new Board()
    const parallelism = 1 + below(12)
    const pools = (small: number) => [
      { name: 'default_pool', slots: below(2) === 0 ? -1 : 6, description: null, includeDeferred: false },
      { name: 'small', slots: small, description: null, includeDeferred: false },
    ]
    board.slots.setPools(pools(3), [])
    for (let d = 0; d < 3; d++) board.putDag(knownDag(randomDag(`d${d}`, below), false))
    for (let d = 0; d < 3; d++) {
      for (let r = 0; r < 3; r++) {
        const at = new Date(NOW.getTime() + below(5) * 3_600_000 + r)
        const run = scheduledRun(`d${d}`, { logicalDate: at, interval: { start: at, end: at }, runAfter: at }, NOW)
        const of = board.putRun({ ...run, runId: `r${r}`, state: 'running', backfill: below(3) === 0 ? { id: 1, ordinal: 1 } : null })
        for (const planned of of.plan?.order ?? []) {
          for (let index = 0; index < 1 + below(3); index++) board.putInstance(of, newInstance(of, planned, index))
        }
      }
    }
    for (let step = 0; step < 40; step++) {
      const turn = new Turn(board, NOW)
      const all = [...board.instances()]
      for (let n = 0; n < 4; n++) {
        const one = all[below(all.length)] as TaskInstance
        const current = board.runs.get(`${one.dagId}/${one.runId}`)?.find(one.taskId, one.mapIndex) as TaskInstance
        const of = board.runs.get(`${one.dagId}/${one.runId}`)
        const planned = of?.tasks.get(one.taskId)?.planned
        if (!of || !planned) continue
        const { pool, poolSlots } = planned.document
        if (current.state === 'none') turn.put(of, moveInstance(current, 'scheduled', NOW, { pool, poolSlots }))
        else if (current.state === 'queued') turn.move(of, current, 'running')
        else if (current.state === 'running') turn.move(of, current, below(3) === 0 ? 'up_for_retry' : 'success', { retryAt: null })
        else if (current.state === 'up_for_retry') turn.move(of, current, 'scheduled')
        else if (current.state === 'scheduled' && below(4) === 0) turn.move(of, current, 'none')
        else if (current.state === 'success' && below(2) === 0) turn.move(of, current, 'none')
      }
      if (below(10) === 0) {
        const dagId = `d${below(3)}`
        const known = board.dags.get(dagId)
        if (known) board.putDag(knownDag(known.record.document, !known.record.isPaused))
        board.ready.releaseAll()
      }
      if (below(10) === 0) {
        board.slots.setPools(pools(1 + below(6)), board.instances())
        board.ready.releaseAll()
      }
      const before = new Set([...board.instances()].filter(({ state }) => isActive(state)).map((one) => one.attemptId))
      select(turn, parallelism)
      const where = `seed ${seed}, step ${step}`
      const taken = [...board.instances()].filter(({ state, attemptId }) => isActive(state) && !before.has(attemptId))
      assert.equal(taken.length, turn.attempts.length, where)
      // A pool that has just been made smaller may still be overfull.
      if (taken.length > 0) for (const one of taken) assert.ok((board.slots.pool(one.pool)?.slots ?? 0) !== 0, where)
      const left = [...board.instances()].filter(({ state }) => state === 'scheduled')
      assert.equal(left.length, board.ready.size, where)
      for (const one of left)
        assert.equal(hasRoom(board, one, parallelism), false, `${where}: ${one.dagId}.${one.taskId}[${one.mapIndex}] has room`)
      if (!hasOverfullPool(board)) checkLimits(board, parallelism, where)
    }
  }
})

const hasOverfullPool = (board: Board): boolean =>
  ['default_pool', 'small'].some((name) => {
    const slots = board.slots.pool(name)?.slots ?? 0
    return slots >= 0 && board.slots.taken(name) > slots
  })

test('the higher priority goes first, then the earlier run, then the longer wait; a backfill comes after runs of the same priority', () => {
  const board = new Board()
  board.slots.setPools([{ name: 'default_pool', slots: -1, description: null, includeDeferred: false }], [])
  const { document } = dag('d', {}, ({ task }) => {
    task('low', async () => {})
    task('high', async () => {})
  })
  const tasks = document.tasks.map((task) => ({ ...task, priorityWeight: task.taskId === 'high' ? 5 : 1 }))
  board.putDag(knownDag({ ...document, tasks, maxActiveTasks: 100 }, false))
  const runOn = (day: number, backfill: { id: number; ordinal: number } | null) => {
    const at = new Date(Date.UTC(2019, 9, day))
    const run = scheduledRun('d', { logicalDate: at, interval: { start: at, end: at }, runAfter: at }, NOW)
    return board.putRun({ ...run, runId: `${day}`, state: 'running', backfill })
  }
  const turn = new Turn(board, NOW)
  for (const one of [runOn(3, null), runOn(1, { id: 1, ordinal: 1 }), runOn(2, null)]) {
    for (const planned of one.plan?.order ?? []) turn.move(one, newInstance(one, planned), 'scheduled')
  }
  select(turn, 100)
  assert.deepEqual(
    turn.attempts.map(({ runId, taskId }) => `${taskId} ${runId}`),
    ['high 2', 'high 3', 'high 1', 'low 2', 'low 3', 'low 1'],
  )
})

test('a thousand capped DAGs cost a turn no more than what it starts', () => {
  const board = new Board()
  board.slots.setPools([{ name: 'default_pool', slots: 1, description: null, includeDeferred: false }], [])
  for (let d = 0; d < 1000; d++) {
    const { document } = dag(`d${d}`, {}, ({ task }) => void task('t', async () => {}))
    board.putDag(knownDag(document, false))
    const run = scheduledRun(`d${d}`, { logicalDate: NOW, interval: { start: NOW, end: NOW }, runAfter: NOW }, NOW)
    const of = board.putRun({ ...run, state: 'running' })
    for (const planned of of.plan?.order ?? []) board.putInstance(of, moveInstance(newInstance(of, planned), 'scheduled', NOW))
  }
  let looked = 0
  const { pool } = board.slots
  board.slots.pool = (name) => {
    looked += 1
    return pool.call(board.slots, name)
  }
  const left = board.slots.left
  board.slots.left = (name) => {
    looked += 1
    return left.call(board.slots, name)
  }
  for (let started = 0; started < 100; started++) {
    const turn = new Turn(board, NOW)
    looked = started === 0 ? Number.NEGATIVE_INFINITY : 0
    select(turn, 100)
    const [attempt] = turn.attempts
    assert.equal(turn.attempts.length, 1)
    assert.ok(looked <= 6, `${looked} looks`)
    const instance = board.findAttempt(attempt?.attemptId ?? '')
    const of = board.runs.get(`${instance?.dagId}/${instance?.runId}`)
    if (of && instance) turn.move(of, turn.move(of, instance, 'running'), 'success')
  }
})
