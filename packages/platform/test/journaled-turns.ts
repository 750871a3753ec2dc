/** Random turns for a store of DAG runs with a journal, and what has to be in the tables after each of them. */
import assert from 'node:assert/strict'
import { dag } from '@daggerboard/dag'
import type { Database } from '../src/adapters/sqlite/database.ts'
import { SqliteTaskInstanceStore } from '../src/adapters/sqlite/task-instance.ts'
import { SqliteXComStore } from '../src/adapters/sqlite/xcom.ts'
import { type DagRun, type DagRunStore, moveRun, NO_CHANGES, scheduledRun } from '../src/scheduling/dag-run.ts'
import { newTaskInstance, type TaskInstance } from '../src/scheduling/task-instance.ts'
import type { Random } from './simulation/seeded.ts'

const NOW = new Date('2026-01-05T12:00:00Z')
const MOST_MOVED = 40
const LONGEST_ANSWER = 60
const STATES = ['queued', 'running', 'success'] as const
const [WORK] = dag('daily', {}, ({ task }) => void task('work', async () => 1)).document.tasks

export class JournaledTurns {
  readonly #random: Random
  /** As acknowledged last. */
  #acknowledged: { instance: TaskInstance; answer: string | null }[] = []
  #runs = 0
  #turns = 0

  constructor(random: Random) {
    this.#random = random
  }

  /** Records a new run whose task is mapped. Throws what the store throws, and has not happened then. */
  async newRun(store: DagRunStore, instances: number): Promise<void> {
    assert.ok(WORK)
    const run = runOf(this.#runs)
    const added = Array.from({ length: instances }, (_, mapIndex) => newTaskInstance(run, WORK, mapIndex))
    await store.record({ ...NO_CHANGES, created: [run], added })
    this.#runs += 1
    this.#acknowledged.push(...added.map((instance) => ({ instance, answer: null })))
  }

  /** Records some moves with answers, in the same way. */
  async turn(store: DagRunStore): Promise<void> {
    const { whole, pick } = this.#random
    const first = whole(0, this.#acknowledged.length - 1)
    const moved = this.#acknowledged.slice(first, first + whole(1, MOST_MOVED)).map(({ instance }) => ({
      instance: { ...instance, state: pick(STATES), detail: `turn ${this.#turns}`, revision: instance.revision + 1 },
      answer: `${this.#turns}`.repeat(whole(1, LONGEST_ANSWER)),
    }))
    this.#turns += 1
    const xcoms = moved.map(({ instance, answer: value }) => ({ ...keyOf(instance), key: 'return_value', value, at: NOW.toISOString() }))
    await store.record({ ...NO_CHANGES, instances: moved.map(({ instance }) => instance), xcoms })
    this.#acknowledged.splice(first, moved.length, ...moved)
  }

  /** Records a move of an instance that has made one since. It has to be refused. */
  async lateTurn(store: DagRunStore): Promise<void> {
    const { instance } = this.#random.pick(this.#acknowledged)
    await assert.rejects(store.record({ ...NO_CHANGES, instances: [{ ...instance, state: 'failed', detail: 'late' }] }))
  }

  /** What the store of `db` has otherwise than it was acknowledged. */
  async complaints(db: Database): Promise<string[]> {
    const [instances, xcoms] = [new SqliteTaskInstanceStore(db), new SqliteXComStore(db)]
    const complaints: string[] = []
    for (let run = 0; run < this.#runs; run++) {
      const { dagId, runId } = runOf(run)
      const [own, answers] = [await instances.listOfRun(dagId, runId), await xcoms.list(dagId, runId)]
      const found = new Map(own.map((instance) => [instance.mapIndex, instance]))
      const answerOf = new Map(answers.map(({ mapIndex, value }) => [mapIndex, value]))
      for (const { instance, answer } of this.#acknowledged.filter((one) => one.instance.runId === runId)) {
        const { mapIndex, state, detail, revision } = instance
        const now = found.get(mapIndex)
        if (now?.state !== state || now.detail !== detail || now.revision !== revision || (answerOf.get(mapIndex) ?? null) !== answer)
          complaints.push(`${runId}/${mapIndex}: ${detail}, revision ${revision} was acknowledged, found ${now?.detail}, ${now?.revision}`)
      }
    }
    return complaints
  }
}

function runOf(number: number): DagRun {
  const start = new Date(Date.UTC(2026, 0, 1, number))
  const interval = { start, end: new Date(start.getTime() + 3_600_000) }
  return moveRun(scheduledRun('daily', { logicalDate: start, interval, runAfter: interval.end }, NOW), 'running', NOW)
}

const keyOf = ({ dagId, runId, taskId, mapIndex }: TaskInstance) => ({ dagId, runId, taskId, mapIndex })
