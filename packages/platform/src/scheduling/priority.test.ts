import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dag, type TaskDocument } from '@daggerboard/dag'
import { Heap } from './heap.ts'
import { priorityWeights } from './priority.ts'

/** A DAG of `size` tasks whose edges are the bits of `edges`, with weights 1, 2, 4 … so that each sum says what it is made of. */
function tasks(size: number, edges: number, weightRule: TaskDocument['weightRule']): TaskDocument[] {
  const names = Array.from({ length: size }, (_, i) => `t${i}`)
  let bit = 0
  const before = names.map((_, to) => names.slice(0, to).filter(() => (edges >> bit++) & 1))
  const { document } = dag('d', {}, ({ task }) => {
    for (const [i, name] of names.entries()) task(name, async () => {}, { dependsOn: before[i] ?? [] })
  })
  return document.tasks.map((task, i) => ({ ...task, weightRule, priorityWeight: 2 ** i }))
}

/** All that can be reached, found by walking. */
function reach(all: readonly TaskDocument[], from: string, direction: 'upstream' | 'downstream'): Set<string> {
  const found = new Set<string>()
  const walk = (id: string) => {
    for (const next of all.find(({ taskId }) => taskId === id)?.[direction] ?? []) {
      found.add(next)
      walk(next)
    }
  }
  walk(from)
  return found
}

test('the weight of a task is its own and that of all tasks after it, or before it, each of them once, for all DAGs of up to four tasks', () => {
  for (const size of [1, 2, 3, 4]) {
    for (let edges = 0; edges < 2 ** ((size * (size - 1)) / 2); edges++) {
      for (const rule of ['downstream', 'upstream', 'absolute'] as const) {
        const all = tasks(size, edges, rule)
        const weights = priorityWeights(all)
        for (const { taskId, priorityWeight } of all) {
          const added = rule === 'absolute' ? new Set<string>() : reach(all, taskId, rule)
          const expected = all.filter((other) => added.has(other.taskId)).reduce((sum, other) => sum + other.priorityWeight, priorityWeight)
          assert.equal(weights.get(taskId), expected, `${rule} of ${taskId} in ${size}/${edges}`)
        }
      }
    }
  }
})

test('weights stay within 32 bits', () => {
  const [one] = tasks(1, 0, 'absolute')
  assert.equal(priorityWeights([{ ...(one as TaskDocument), priorityWeight: 2 ** 40 }]).get('t0'), 2 ** 31 - 1)
  assert.equal(priorityWeights([{ ...(one as TaskDocument), priorityWeight: -(2 ** 40) }]).get('t0'), -(2 ** 31))
})

test('a heap gives back what was put in, first things first, also after some of it was dropped', () => {
  let state = 7
  const next = () => {
    state = (state * 1103515245 + 12345) % 2 ** 31
    return state % 1000
  }
  const heap = new Heap<number>((a, b) => a < b)
  const numbers = Array.from({ length: 500 }, next)
  for (const number of numbers) heap.push(number)
  heap.filter((number) => number % 3 !== 0)
  const found = Array.from({ length: heap.size }, () => heap.pop())
  assert.deepEqual(
    found,
    numbers.filter((number) => number % 3 !== 0).sort((a, b) => a - b),
  )
  assert.equal(heap.pop(), undefined)
})
