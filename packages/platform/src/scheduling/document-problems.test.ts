import assert from 'node:assert/strict'
import { test } from 'node:test'
import { madeUpDag } from '../../test/made-up-dag.ts'
import { documentProblems } from './document-problems.ts'

test('a schedule that cannot be read and an asset that cannot be used are told of together', () => {
  const bad = { asset: { name: 'prices', uri: 'postgres://ann:secret@db/prices', group: 'asset', extra: {} } }
  const schedule = { kind: 'cron', expression: '0 25 * * *', interval: true, text: '0 25 * * *' } as const
  const problems = documentProblems(madeUpDag({ a: { outlets: [bad] } }, { schedule }))
  assert.match(problems[0] ?? '', /^DAG "wind" cannot be scheduled\. The schedule "0 25 \* \* \*" cannot be read/)
  assert.match(problems[1] ?? '', /^DAG "wind" names an asset that cannot be used\. The asset "prices" .* has a password/)
  assert.equal(problems.length, 2)
  assert.ok(!problems.join().includes('secret'))
  assert.deepEqual(documentProblems(madeUpDag({ a: {} })), [])
})
