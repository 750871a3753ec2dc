import assert from 'node:assert/strict'
import { test } from 'node:test'
import { concat, dag, type TaskDocument } from '@daggerboard/dag'
import { findInputs } from './task-input.ts'

test('an instance that is mapped over lists one after the other gets the element at its place, whichever list has it', async () => {
  const { document } = dag('d', {}, ({ task }) => {
    const [old, fresh] = [task('old', async () => [1, 2]), task('fresh', async () => ({ x: 3 }))]
    task('each', async () => {}, { expand: { n: concat(old, fresh, [7]), unit: ['m', 's'] } })
  })
  const outputs = { one: async (taskId: string) => (taskId === 'old' ? [1, 2] : { x: 3 }), all: async () => [] }
  const element = async (at: number) => (await findInputs(document, document.tasks[2] as TaskDocument, at, outputs)).element
  assert.deepEqual(await element(0), { n: 1, unit: 'm' })
  assert.deepEqual(await element(5), { n: ['x', 3], unit: 's' })
  assert.deepEqual(await element(7), { n: 7, unit: 's' })
  await assert.rejects(element(8), /no longer has an element 8/)
})
