import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AppError } from '../core/app-error.ts'
import { exportPools, importPools } from './pool-import.ts'

test('pools of Airflow’s export are read and written', () => {
  const exported = {
    gpu: { slots: 2, description: '', include_deferred: true },
    all: { slots: -1, description: 'd', include_deferred: false },
  }
  const pools = importPools({ ...exported, small: { slots: 1 } })
  assert.deepEqual(pools, [
    { name: 'gpu', slots: 2, description: null, includeDeferred: true },
    { name: 'all', slots: -1, description: 'd', includeDeferred: false },
    { name: 'small', slots: 1, description: null, includeDeferred: false },
  ])
  assert.deepEqual(exportPools(pools.slice(0, 2)), exported)
})

test('every problem of every pool is told at once', () => {
  const given = { a: 5, b: { slot: 3 }, c: { slots: 1.5, include_deferred: 'no' }, d: { slots: -2, description: 4 }, '': { slots: 1 } }
  assert.throws(
    () => importPools(given),
    (error) => {
      assert.ok(error instanceof AppError)
      assert.equal(error.problems.length, 8)
      assert.ok(error.problems.includes('Pool "b" has no field "slot". Did you mean "slots"?'))
      return true
    },
  )
})
