import assert from 'node:assert/strict'
import { test } from 'node:test'
import { madeUpDag, madeUpRun } from '../../test/made-up-dag.ts'
import { deadlinesOf, durationsNeeded } from './deadline.ts'

const run = madeUpRun('2024-01-05')

const at = (
  reference: Parameters<typeof deadlinesOf>[0]['deadlines'][number]['reference'],
  intervalSeconds: number,
  recent: number[] = [],
  of = run,
) => deadlinesOf(madeUpDag({}, { deadlines: [{ reference, intervalSeconds }] }), of, recent)[0]?.at ?? null

test('a deadline counts from the queueing, the logical date or a fixed time', () => {
  assert.equal(at({ kind: 'queuedAt' }, 3600), '2024-01-06T01:00:00.000Z')
  assert.equal(at({ kind: 'logicalDate' }, 3600), '2024-01-05T01:00:00.000Z')
  assert.equal(at({ kind: 'fixed', at: '2024-03-01T12:00:00Z' }, -60), '2024-03-01T11:59:00.000Z')
})

test('a run that stands for no date has no deadline that counts from it', () => {
  assert.equal(at({ kind: 'logicalDate' }, 60, [], { ...run, logicalDate: null }), null)
})

test('a deadline by the usual duration is there once enough runs have shown it', () => {
  const reference = { kind: 'averageRuntime', runs: 3, atLeast: 2 } as const
  assert.equal(at(reference, 10, [100]), null)
  assert.equal(at(reference, 10, [100, 200]), '2024-01-06T00:02:40.000Z')
  assert.equal(at(reference, 10, [100, 200, 300, 9000]), '2024-01-06T00:03:30.000Z')
  assert.equal(durationsNeeded(madeUpDag({}, { deadlines: [{ reference, intervalSeconds: 0 }] })), 3)
})
