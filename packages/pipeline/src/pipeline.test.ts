import assert from 'node:assert/strict'
import test from 'node:test'
import { node } from './node.ts'
import { combine, pipeline } from './pipeline.ts'

const step = (name: string, inputs: string[], outputs: string[]) => node(() => {}, { name, inputs, outputs })
const names = (of: { nodes: readonly { name: string }[] }) => of.nodes.map((n) => n.name)

test('nodes run after those that give their inputs, however they are written', () => {
  const made = pipeline([
    step('train', ['features'], ['model']),
    step('load', ['params:folder'], ['primary']),
    step('encode', ['primary'], ['features']),
  ])
  assert.deepEqual(names(made), ['load', 'encode', 'train'])
  assert.deepEqual(made.inputs, ['params:folder'])
  assert.deepEqual(made.outputs, ['model'])
})

test('combined pipelines join where the outputs of one are the inputs of another', () => {
  const loading = pipeline([step('load', ['params:folder'], ['primary'])])
  const training = pipeline([step('train', ['primary'], ['model'])])
  assert.deepEqual(names(combine(training, loading, loading)), ['load', 'train'])
})

test('a circle is refused with the way around it', () => {
  assert.throws(() => pipeline([step('a', ['y'], ['x']), step('b', ['x'], ['y'])]), /goes in a circle: a → b → a/)
})

test('two nodes of one output and two of one name are refused together', () => {
  assert.throws(
    () => pipeline([step('a', ['in'], ['x']), step('b', ['in'], ['x']), step('b', ['in'], ['y'])]),
    (error: Error) => /"a" and "b" both give dataset "x"/.test(error.message) && /two nodes are named "b"/.test(error.message),
  )
})

test('a node that gives what it takes is refused', () => {
  assert.throws(() => step('a', ['x'], ['x']), /dataset "x" is both an input and an output/)
})

test('a slice holds the named nodes and what comes before or after them', () => {
  const made = pipeline([step('a', ['in'], ['x']), step('b', ['x'], ['y']), step('c', ['y'], ['z']), step('side', ['x'], ['s'])])
  assert.deepEqual(names(made.slice({ fromNodes: ['b'] })), ['b', 'c'])
  assert.deepEqual(names(made.slice({ toNodes: ['b'] })), ['a', 'b'])
  assert.deepEqual(names(made.slice({ fromNodes: ['b'], toNodes: ['b'] })), ['b'])
  assert.throws(() => made.slice({ fromNodes: ['sied'] }), /no node "sied". Did you mean "side"\?/)
})
