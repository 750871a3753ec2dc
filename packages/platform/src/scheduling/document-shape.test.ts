import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DagDocument } from '@daggerboard/dag'
import { madeUpDag } from '../../test/made-up-dag.ts'
import { documentProblems } from './document-problems.ts'
import { shapeProblem } from './document-shape.ts'

const without = (field: string): DagDocument => {
  const { [field]: _, ...rest } = madeUpDag({ a: {} }) as unknown as Record<string, unknown>
  return rest as unknown as DagDocument
}

test('what our package makes is whole', () => {
  assert.equal(shapeProblem(madeUpDag({ a: {}, b: { upstream: ['a'], executionTimeoutSeconds: 3 } }, { startDate: '2019-10-07' })), null)
})

test('a document that lacks a field, or has another kind of it, is refused with a sentence that names it', () => {
  assert.equal(
    shapeProblem(without('schedule')),
    'DAG "wind" is not written as this platform reads it: schedule. Does its folder bring another version of @daggerboard/dag? Take that out.',
  )
  const [task] = madeUpDag({ a: {} }).tasks
  const strange: readonly [object, RegExp][] = [
    [{ schedule: { kind: 7 } }, /: schedule\.kind\./],
    [{ schedule: null }, /: schedule\./],
    [{ tags: {} }, /: tags\./],
    [{ runTimeoutSeconds: undefined }, /: runTimeoutSeconds\./],
    [{ maxActiveRuns: null }, /: maxActiveRuns\./],
    [{ dagId: 7 }, /^A DAG is not written as this platform reads it: dagId\./],
    [{ tasks: 7 }, /: tasks\./],
    [{ tasks: [null] }, /: all of task 1\./],
    [{ tasks: [task, { ...task, pool: undefined, upstream: 'b' }] }, /: upstream of "a", pool of "a"\./],
  ]
  for (const [fields, problem] of strange) {
    const document = { ...madeUpDag({ a: {} }), ...fields } as DagDocument
    assert.match(String(shapeProblem(document)), problem)
    assert.deepEqual(documentProblems(document), [shapeProblem(document)])
  }
  assert.match(String(shapeProblem({} as DagDocument)), /: dagId, description, docMd, schedule, timezone …\. Does/)
})
