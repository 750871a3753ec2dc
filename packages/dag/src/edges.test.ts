import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type DagBuilder, dag, type Group, type Task } from './index.ts'

type Step = Task | Group

/** Numbers in [0, 1), the same for the same seed. */
function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

/** Ids of the tasks in a step. */
const within = (step: Step): string[] => ('members' in step ? step.members.flatMap(within) : [step.id])

test('edges between groups are those between the ends of one and the beginnings of the other, and there are no others', () => {
  let edgesSeen = 0
  for (let seed = 1; seed <= 300; seed++) {
    const random = randomOf(seed)
    const below = (limit: number) => Math.floor(random() * limit)
    const steps: Step[] = []
    const drawn: { before: Step; after: Step }[] = []
    const fill = ({ task, group }: DagBuilder, depth: number): void => {
      for (let i = 0; i < 1 + below(4); i++) {
        if (depth < 3 && random() < 0.4) steps.push(group(`g${i}`, {}, (inner) => fill(inner, depth + 1)))
        else steps.push(task(`t${i}`, () => {}))
      }
    }
    const { document } = dag('d', {}, (builder) => {
      fill(builder, 0)
      // Only from what lies wholly before to what lies wholly after, so that there is no circle.
      const order = steps.filter((step): step is Task => !('members' in step)).map(({ id }) => id)
      for (let i = 0; i < 12; i++) {
        const [before, after] = [steps[below(steps.length)] as Step, steps[below(steps.length)] as Step]
        const [last, first] = [
          Math.max(...within(before).map((id) => order.indexOf(id))),
          Math.min(...within(after).map((id) => order.indexOf(id))),
        ]
        if (last >= first) continue
        drawn.push({ before, after })
        if (random() < 0.5) before.before(random() < 0.5 ? after : after.id)
        else after.after(before)
      }
    })
    const downstream = new Map(document.tasks.map((task) => [task.taskId, task.downstream]))
    const upstream = new Map(document.tasks.map((task) => [task.taskId, task.upstream]))
    const ends = (step: Step) => within(step).filter((id) => !downstream.get(id)?.some((next) => within(step).includes(next)))
    const beginnings = (step: Step) => within(step).filter((id) => !upstream.get(id)?.some((before) => within(step).includes(before)))
    const expected = drawn.flatMap(({ before, after }) => ends(before).flatMap((from) => beginnings(after).map((to) => `${from} > ${to}`)))
    const found = document.tasks.flatMap(({ taskId, downstream }) => downstream.map((next) => `${taskId} > ${next}`))
    assert.deepEqual(new Set(found), new Set(expected), `seed ${seed}`)
    assert.equal(found.length, new Set(found).size)
    edgesSeen += found.length
  }
  assert.ok(edgesSeen > 1000)
})
