/** Our rules against Airflow's own code, on made-up DAGs: trigger rules, setups and teardowns, priorities, clearing, retries, mapping. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { type TaskDocument, TRIGGER_RULES } from '@daggerboard/dag'
import { findInputs } from '../../packages/platform/src/execution/task-input.ts'
import { BoardRun } from '../../packages/platform/src/scheduling/board-run.ts'
import { type ClearRequest, clear, clearRunRequest } from '../../packages/platform/src/scheduling/clear.ts'
import { type PlannedTask, planOf } from '../../packages/platform/src/scheduling/dag-plan.ts'
import { fromThisRun } from '../../packages/platform/src/scheduling/dependencies.ts'
import { retryDelaySeconds } from '../../packages/platform/src/scheduling/retry.ts'
import type { TaskInstance, TaskInstanceState } from '../../packages/platform/src/scheduling/task-instance.ts'
import { generator, whole } from '../../packages/platform/test/cron-walk.ts'
import { madeUpDag, madeUpInstance, madeUpRun } from '../../packages/platform/test/made-up-dag.ts'
import { askPython } from '../python.ts'
import { pythonWithAirflow } from './python-with-airflow.ts'

interface MadeUpTask extends Pick<TaskDocument, 'role' | 'triggerRule' | 'priorityWeight' | 'weightRule' | 'upstream'> {
  readonly state: TaskInstanceState
  /** Of a mapped task: the state of each instance. */
  readonly instances: readonly TaskInstanceState[] | null
}
type MadeUpGraph = { readonly tasks: Readonly<Record<string, MadeUpTask>> }
interface GraphAnswer {
  /** Of each instance. */
  readonly verdicts: Readonly<Record<string, readonly string[]>>
  readonly weights: Readonly<Record<string, number>>
  /** Of each task alone, with what comes after it, with what comes before it, and with both. */
  readonly cleared: readonly (readonly string[])[]
}
type Retry = Parameters<typeof retryDelaySeconds>[0] & { readonly dagId: string; readonly logicalDate: string; readonly tryNumber: number }

const GRAPHS = 400
const RETRIES = 2000
const CLEAR: ClearRequest = clearRunRequest('', { onlyFailed: false, dryRun: true })
const NONE = { one: async () => null, all: async () => [] }
const NOW = new Date('2024-02-01T00:00:00Z')
const ROLES = ['work', 'work', 'work', 'work', 'setup', 'teardown'] as const
const STATES = ['none', 'running', 'up_for_retry', 'success', 'success', 'success', 'failed', 'upstream_failed', 'skipped'] as const

const random = generator(20_261_105)
const pick = <Item>(items: readonly Item[]): Item => items[whole(random, 0, items.length - 1)] as Item

/** Of a third of them the first is a setup, the last its teardown, and nearly all between them is done. */
function randomGraph(): MadeUpGraph {
  const density = random()
  const isScope = random() < 0.4
  const ids = 'abcdefg'.slice(0, whole(random, 2, 7)).split('')
  const tasks = ids.map((id, place): [string, MadeUpTask] => {
    const isLast = place === ids.length - 1
    const role = isScope && (place === 0 || isLast) ? (isLast ? 'teardown' : 'setup') : pick(ROLES)
    const isBefore = (other: string) => random() < density || (isScope && isLast && other === 'a')
    const isMapped = role === 'work' && random() < 0.35
    const states = [...STATES, ...(isMapped ? (['removed', 'removed'] as const) : [])]
    return [
      id,
      {
        role,
        triggerRule: random() < 0.3 ? 'all_success' : pick(TRIGGER_RULES),
        priorityWeight: whole(random, -3, 20),
        weightRule: pick(['downstream', 'upstream', 'absolute']),
        upstream: ids.slice(0, place).filter(isBefore),
        state: isScope && random() < 0.7 ? 'success' : pick(states),
        instances: isMapped ? Array.from({ length: whole(random, 1, 4) }, () => pick(states)) : null,
      },
    ]
  })
  return { tasks: Object.fromEntries(tasks) }
}

const randomRetry = (): Retry => ({
  dagId: `dag_${whole(random, 1, 99)}`,
  taskId: pick(['a', 'group.task', 'tâche']),
  logicalDate: new Date(Date.UTC(2024, 0, 1) + whole(random, 0, 999_999) * 1000 + pick([0, 0, 123])).toISOString(),
  tryNumber: pick([1, 1, 2, 3, 5, 8, 20, 60, 2000]),
  retryDelaySeconds: pick([0, 0.2, 1, 10, 59.5, 300, 86_400, 172_800]),
  retryBackoff: pick([0, 1, 1.1, 1.5, 2, 2, 3, 0.5]),
  maxRetryDelaySeconds: pick([null, null, 1, 600, 200_000]),
})

const randomLists = () =>
  Object.fromEntries(
    'abc'
      .slice(0, whole(random, 1, 3))
      .split('')
      .map((name) => [name, Array.from({ length: whole(random, 1, 4) }, (_, i) => `${name}${i}`)]),
  )

const asked = {
  graphs: Array.from({ length: GRAPHS }, randomGraph),
  waits: Array.from({ length: RETRIES }, randomRetry),
  elements: Array.from({ length: 100 }, randomLists),
}
let theirs: { readonly graphs: readonly GraphAnswer[]; readonly waits: readonly number[]; readonly elements: readonly unknown[][] }

before(async () => {
  theirs = await askPython(await pythonWithAirflow(), join(import.meta.dirname, 'semantics_rules.py'), asked)
})

const documentOf = ({ tasks }: MadeUpGraph) =>
  madeUpDag(
    Object.fromEntries(
      Object.entries(tasks).map(([id, { state: _, instances, ...task }]) => [
        id,
        {
          ...task,
          setups: task.role === 'teardown' ? task.upstream.filter((other) => tasks[other]?.role === 'setup') : [],
          expand: instances && { kind: 'product', inputs: { x: { value: [1, 2, 3] } } },
        },
      ]),
    ),
  )

function instancesOf({ tasks }: MadeUpGraph, document: ReturnType<typeof documentOf>): TaskInstance[] {
  const run = madeUpRun('2024-01-05')
  return Object.entries(tasks).flatMap(([id, { state, instances }]) =>
    (instances ?? [state]).map((one, i) => madeUpInstance(document, run, id, { state: one, mapIndex: instances ? i : -1 })),
  )
}

test('trigger rules, setups and teardowns decide as those of Airflow do', (t) => {
  let compared = 0
  for (const [i, graph] of asked.graphs.entries()) {
    const document = documentOf(graph)
    const plan = planOf(document)
    const of = new BoardRun(madeUpRun('2024-01-05'))
    of.follow(plan)
    const instances = instancesOf(graph, document)
    for (const instance of instances) of.put(instance)
    for (const instance of instances) {
      const { taskId, mapIndex } = instance
      if (isStuckInAirflow(graph, taskId)) continue
      const { verdict } = fromThisRun(of, plan.tasks.get(taskId) as PlannedTask, instance)
      const expected = theirs.graphs[i]?.verdicts[taskId]?.[Math.max(0, mapIndex)]
      assert.equal(verdict, expected, `${taskId} [${mapIndex}] of ${JSON.stringify(graph)}`)
      compared += 1
    }
  }
  t.diagnostic(`${compared} verdicts`)
})

/** Airflow lets `all_skipped` wait for ever for mapped instances that are no longer there; here they count for nothing, as for `all_failed`. */
const isStuckInAirflow = ({ tasks }: MadeUpGraph, taskId: string): boolean =>
  tasks[taskId]?.triggerRule === 'all_skipped' && tasks[taskId].upstream.some((id) => tasks[id]?.instances?.includes('removed'))

test('priorities of tasks are those that Airflow gives them', () => {
  for (const [i, graph] of asked.graphs.entries()) {
    const weights = Object.fromEntries([...planOf(documentOf(graph)).tasks].map(([id, { priorityWeight }]) => [id, priorityWeight]))
    assert.deepEqual(weights, theirs.graphs[i]?.weights, JSON.stringify(graph))
  }
})

test('clearing a task takes the tasks, setups and teardowns with it that it takes in Airflow', () => {
  for (const [i, graph] of asked.graphs.entries()) {
    const document = documentOf(graph)
    const run = madeUpRun('2024-01-05', { state: 'failed' })
    const instances = instancesOf(graph, document).map((one) => ({ ...one, state: 'success' as const }))
    const requests = Object.keys(graph.tasks).flatMap((taskId) =>
      [false, true].flatMap((includeUpstream) =>
        [false, true].map((includeDownstream) => ({ taskIds: [taskId], includeUpstream, includeDownstream })),
      ),
    )
    for (const [place, request] of requests.entries()) {
      const { selected } = clear(document, { ...CLEAR, ...request }, [{ run, instances }], NOW)
      const found = [...new Set(selected.map(({ taskId }) => taskId))].sort()
      assert.deepEqual(found, theirs.graphs[i]?.cleared[place], JSON.stringify({ request, graph }))
    }
  }
})

test('a failed task waits for its next try exactly as long as in Airflow', () => {
  for (const [i, one] of asked.waits.entries()) {
    const found = retryDelaySeconds(one, { ...one, logicalDate: new Date(one.logicalDate) })
    assert.equal(found, theirs.waits[i], JSON.stringify(one))
  }
})

test('the elements of a product have the indices that they have in Airflow', async () => {
  for (const [i, lists] of asked.elements.entries()) {
    const inputs = Object.fromEntries(Object.entries(lists).map(([name, value]) => [name, { value }]))
    const document = madeUpDag({ a: { expand: { kind: 'product', inputs } } })
    const count = Object.values(lists).reduce((product, { length }) => product * length, 1)
    const found = await Promise.all(
      Array.from({ length: count }, (_, index) => findInputs(document, document.tasks[0] as TaskDocument, index, NONE)),
    )
    assert.deepEqual(
      found.map(({ element }) => element),
      theirs.elements[i],
    )
  }
})
