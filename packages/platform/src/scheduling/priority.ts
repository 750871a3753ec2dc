/** Airflow's priority of a task: its own weight, and by its weight rule those of all tasks after it or before it. Pure. */
import type { TaskDocument } from '@daggerboard/dag'

const INT32_MAX = 2 ** 31 - 1

/** Each task's total by id, within 32 bits. */
export function priorityWeights(tasks: readonly TaskDocument[]): Map<string, number> {
  const after = reachSums(tasks, 'downstream')
  const before = reachSums(tasks, 'upstream')
  return new Map(
    tasks.map(({ taskId, priorityWeight, weightRule }) => {
      const added = weightRule === 'absolute' ? 0 : ((weightRule === 'downstream' ? after : before).get(taskId) ?? 0)
      return [taskId, Math.max(-INT32_MAX - 1, Math.min(INT32_MAX, priorityWeight + added))]
    }),
  )
}

/** The sum of the weights of all tasks that can be reached from each task; every one of them counts once, by however many ways. */
function reachSums(tasks: readonly TaskDocument[], direction: 'upstream' | 'downstream'): Map<string, number> {
  const rule = direction
  if (!tasks.some(({ weightRule }) => weightRule === rule)) return new Map()
  const indices = new Map(tasks.map(({ taskId }, i) => [taskId, i]))
  const words = Math.ceil(tasks.length / 32)
  const reached = new Map<string, Uint32Array>()
  const sums = new Map<string, number>()
  const isLine = tasks.every((task) => task[direction].length <= 1)
  const visit = (task: TaskDocument): void => {
    const nexts = task[direction].flatMap((id) => tasks[indices.get(id) ?? -1] ?? [])
    if (isLine) {
      const [next] = nexts
      sums.set(task.taskId, next ? next.priorityWeight + (sums.get(next.taskId) ?? 0) : 0)
      return
    }
    const bits = new Uint32Array(words)
    for (const next of nexts) {
      const i = indices.get(next.taskId) as number
      bits[i >> 5] = (bits[i >> 5] as number) | (1 << (i & 31))
      reached.get(next.taskId)?.forEach((word, w) => {
        bits[w] = (bits[w] as number) | word
      })
    }
    reached.set(task.taskId, bits)
    sums.set(task.taskId, sumOf(bits, tasks))
  }
  inPostOrder(tasks, indices, direction, visit)
  return sums
}

function sumOf(bits: Uint32Array, tasks: readonly TaskDocument[]): number {
  let sum = 0
  for (let w = 0; w < bits.length; w++) {
    for (let word = bits[w] as number; word !== 0; word &= word - 1)
      sum += tasks[w * 32 + 31 - Math.clz32(word & -word)]?.priorityWeight ?? 0
  }
  return sum
}

/** Visits each task after those that it leads to. Without recursion: DAGs may be long. */
function inPostOrder(
  tasks: readonly TaskDocument[],
  indices: ReadonlyMap<string, number>,
  direction: 'upstream' | 'downstream',
  visit: (task: TaskDocument) => void,
): void {
  const opposite = direction === 'downstream' ? 'upstream' : 'downstream'
  const missing = tasks.map((task) => task[direction].filter((id) => indices.has(id)).length)
  const open = tasks.filter((_, i) => missing[i] === 0)
  for (const task of open) {
    visit(task)
    for (const id of task[opposite]) {
      const i = indices.get(id)
      if (i === undefined) continue
      missing[i] = (missing[i] as number) - 1
      if (missing[i] === 0) open.push(tasks[i] as TaskDocument)
    }
  }
}
