/** Wide runs are followed some instances at a time: limits, the order among what is ready, and how all of it ends are as if they were followed at once. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type DagDocument, dag, type Task, TRIGGER_RULES } from '@daggerboard/dag'
import { type Random, seeded } from '../../test/simulation/seeded.ts'
import { advance } from './advance.ts'
import { Board } from './board.ts'
import type { BoardRun } from './board-run.ts'
import { planOf } from './dag-plan.ts'
import { isFinished, scheduledRun } from './dag-run.ts'
import { explain } from './explain.ts'
import { select } from './select.ts'
import { instanceKey, isActive, type TaskInstance } from './task-instance.ts'
import { timetable } from './timetable.ts'
import { Turn } from './turn.ts'

const NOW = new Date('2019-10-09T12:00:00Z')
const AT_ONCE = Number.POSITIVE_INFINITY

/** `width` tasks, and what comes after some of them: joins of all rules, mapped tasks, a mapped group. */
function wideDag(dagId: string, width: number, random: Random): DagDocument {
  const { chance, pick, whole } = random
  const options = { maxActiveTasks: whole(Math.ceil(width / 40), Math.ceil(width / 4)), maxActiveRuns: 9 }
  return dag(dagId, options, ({ task, group }) => {
    const weight = () => ({ priorityWeight: whole(1, 4), weightRule: 'absolute' as const, ...(chance(0.2) && { pool: 'narrow' }) })
    const first: Task[] = []
    for (let i = 0; i < width; i++) first.push(task(`t${i}`, async () => {}, weight()))
    for (let i = 0; i < width / 20; i++) {
      const before = [...new Set(Array.from({ length: whole(1, 5) }, () => pick(first)))]
      task(`join${i}`, async () => {}, { ...weight(), dependsOn: before, triggerRule: pick(TRIGGER_RULES) })
    }
    const list = task('list', async () => [1], weight()) as unknown as Task<number[]>
    task('last', async () => {}, { ...weight(), dependsOn: first, triggerRule: 'all_done' })
    task('mapped', async () => {}, { ...weight(), expand: { element: list } })
    const numbers = Array.from({ length: whole(1, Math.min(300, width / 2)) }, (_, i) => i)
    task('written', async () => {}, { ...weight(), expand: { element: numbers } })
    group('each', { expand: { element: numbers } }, ({ task, element }) => {
      const one = task('one', async () => {}, { ...weight(), input: { element: element as never } })
      task('two', async () => {}, { ...weight(), dependsOn: [one] })
    })
  }).document
}

/** Lives through runs of DAGs, `mostMoves` instances in a turn, and looks at every turn whether all is as it has to be. */
class Life {
  readonly board = new Board()
  readonly runs: BoardRun[] = []
  readonly #random: Random
  readonly #mostMoves: number
  readonly #parallelism: number
  turns = 0

  constructor(documents: readonly DagDocument[], seed: number, mostMoves: number) {
    this.#random = seeded(seed)
    this.#mostMoves = mostMoves
    const width = documents[0]?.tasks.length ?? 0
    this.#parallelism = this.#random.whole(Math.ceil(width / 40), Math.ceil(width / 3))
    const pool = (name: string, slots: number) => ({ name, slots, description: null, includeDeferred: false })
    this.board.slots.setPools([pool('default_pool', 10_000), pool('narrow', 6)], [])
    for (const document of documents) {
      const facts = { dagId: document.dagId, document, file: 'd.ts', source: '', parsedAt: '' }
      const record = { ...facts, isPaused: false, isStale: false, hasImportErrors: false }
      const own = timetable(document.schedule, 'UTC')
      this.board.putDag({ record, plan: planOf(document), timetable: own, lastInterval: null, due: undefined })
    }
  }

  begin(dagId: string, day: number): BoardRun {
    const date = new Date(Date.UTC(2019, 8, day))
    const run = scheduledRun(dagId, { logicalDate: date, interval: { start: date, end: date }, runAfter: date }, NOW)
    const of = this.board.putRun({ ...run, state: 'running', startedAt: NOW.toISOString() })
    this.runs.push(of)
    return of
  }

  get isOver(): boolean {
    return this.runs.every(({ run }) => isFinished(run.state))
  }

  /** Some of what is active ends, and what follows from that. */
  turn(): void {
    const { board } = this
    this.turns += 1
    assert.ok(this.turns < 5_000, 'it does not come to its end')
    const turn = new Turn(board, NOW)
    for (const instance of [...board.instances()]) if (isActive(instance.state) && this.#random.chance(0.5)) this.#end(turn, instance)
    advance(turn, this.#mostMoves)
    select(turn, this.#parallelism)
    this.#check(turn)
    board.sweep()
  }

  /** How all ended. */
  get outcome(): Record<string, string> {
    const states: Record<string, string> = {}
    for (const of of this.runs) {
      states[of.key] = of.run.state
      for (const instance of of.instances()) states[instanceKey(instance)] = instance.state
    }
    return states
  }

  explain(of: BoardRun, taskId: string): string {
    return explain(this.board, this.#parallelism, of, of.find(taskId, -1) as TaskInstance, NOW)
      .reasons.map(({ sentence }) => sentence)
      .join(' ')
  }

  /** The same for the same task, whenever it ends. None skips: where one is skipped and another fails, the first decides for what comes after both. */
  #end(turn: Turn, queued: TaskInstance): void {
    const of = this.board.runs.get(`${queued.dagId}/${queued.runId}`) as BoardRun
    const running = turn.move(of, queued, 'running')
    const hash = [...instanceKey(queued)].reduce((sum, letter) => (Math.imul(sum, 31) + letter.charCodeAt(0)) | 0, 7) >>> 0
    const state = hash % 11 === 0 ? 'failed' : 'success'
    turn.move(of, running, state, queued.taskId === 'list' ? { mapLength: hash % 200 } : {})
  }

  #check(turn: Turn): void {
    const { board } = this
    const begun = turn.attempts.map(({ dagId, runId, taskId, mapIndex }) => board.runs.get(`${dagId}/${runId}`)?.find(taskId, mapIndex))
    const all = [...board.instances()]
    const active = all.filter(({ state }) => isActive(state))
    const activeOf = (dagId: string) => active.filter((one) => one.dagId === dagId).length
    const isNarrowFull = active.filter(({ pool }) => pool === 'narrow').length === 6
    assert.ok(active.length <= this.#parallelism && active.filter(({ pool }) => pool === 'narrow').length <= 6)
    for (const { record } of board.dags.values()) assert.ok(activeOf(record.dagId) <= record.document.maxActiveTasks)
    const weakest = Math.min(...begun.map((one) => one?.priorityWeight ?? 0))
    for (const { record } of board.dags.values()) {
      if (activeOf(record.dagId) === record.document.maxActiveTasks) continue
      for (const waiting of all) {
        if (waiting.state !== 'scheduled' || waiting.dagId !== record.dagId || (waiting.pool === 'narrow' && isNarrowFull)) continue
        if (active.length < this.#parallelism) assert.fail(`${instanceKey(waiting)} waits although there is room`)
        if (waiting.priorityWeight > weakest) assert.fail(`${instanceKey(waiting)} waits behind what has a lower priority`)
      }
    }
  }
}

function live(seed: number, mostMoves: number | undefined, width: number): Life {
  const random = seeded(seed)
  const documents = [wideDag('wide', width, random), wideDag('other', Math.ceil(width / 10), random)]
  const life = new Life(documents, seed, mostMoves ?? 128)
  for (const day of [1, 2]) life.begin('wide', day)
  life.begin('other', 1)
  while (!life.isOver) {
    life.turn()
    if (life.turns === 3) life.begin('other', 2)
  }
  return life
}

const differences = (a: Record<string, string>, b: Record<string, string>): string[] =>
  [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((key) => a[key] !== b[key]).map((key) => `${key}: ${a[key]}, ${b[key]}`)

test('limits and the order among what is ready hold at every turn of a wide run, and it ends as if it were followed at once', () => {
  for (let seed = 1; seed <= 8; seed++) {
    const outcome = live(seed, 40, 150).outcome
    assert.deepEqual(differences(outcome, live(seed, AT_ONCE, 150).outcome), [], `seed ${seed}`)
    assert.deepEqual(differences(outcome, live(seed, 7, 150).outcome), [], `seed ${seed}, seven at a time`)
  }
})

test('so it is with 2,000 tasks, as many in a turn as ever', () => {
  assert.deepEqual(differences(live(77, undefined, 2_000).outcome, live(77, AT_ONCE, 2_000).outcome), [])
})

test('a run that comes while wide ones are followed begins with the next turns, as many as there are such runs', () => {
  const random = seeded(1)
  const small = dag('small', {}, ({ task }) => void task('a', async () => {}, { priorityWeight: 99 })).document
  const life = new Life([wideDag('wide', 2_000, random), small], 1, 128)
  for (let day = 1; day <= 3; day++) life.begin('wide', day)
  life.turn()
  const of = life.begin('small', 1)
  for (let i = 0; i < 4; i++) life.turn()
  assert.notEqual(of.find('a', -1)?.state, 'none')
})

test('of a task that is not looked at yet it is said that it will be, and so it is', () => {
  const life = new Life([wideDag('wide', 2_000, seeded(2))], 2, 128)
  const of = life.begin('wide', 1)
  life.turn()
  const left = Array.from({ length: 2_000 }, (_, i) => `t${i}`).filter((taskId) => of.find(taskId, -1)?.state === 'none')
  assert.ok(left.length > 1_500)
  for (const taskId of left)
    assert.equal(life.explain(of, taskId), 'All that it depends on is met: it is looked at in one of the next turns.')
  assert.match(life.explain(of, 'last'), /^Its trigger rule all_done waits for "t\d+"/)
  for (let i = 0; i < 40; i++) life.turn()
  for (const taskId of left) assert.notEqual(of.find(taskId, -1)?.state, 'none', taskId)
})
