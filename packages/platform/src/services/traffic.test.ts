import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AppError } from '../core/app-error.ts'
import { moveRevision, type Revision, revisionName } from './revision.ts'
import { checkTraffic, pickRevision, sharesOf, TO_LATEST } from './traffic.ts'

test('the latest revision gets the traffic unless somebody names another', () => {
  assert.deepEqual(sharesOf(TO_LATEST, 'b'), [{ revision: 'b', percent: 100 }])
  const pinned = [
    { revision: 'a', percent: 90 },
    { revision: null, percent: 10 },
    { revision: 'c', percent: 0 },
  ]
  assert.deepEqual(sharesOf(pinned, 'b'), [
    { revision: 'a', percent: 90 },
    { revision: 'b', percent: 10 },
  ])
  assert.deepEqual(sharesOf(pinned, 'a'), [{ revision: 'a', percent: 100 }])
})

test('requests are divided as the shares say', () => {
  const shares = [
    { revision: 'a', percent: 90 },
    { revision: 'b', percent: 10 },
  ]
  assert.deepEqual(
    [0, 0.89, 0.9, 0.999].map((chance) => pickRevision(shares, chance)),
    ['a', 'a', 'b', 'b'],
  )
  assert.equal(pickRevision([], 0.5), null)
})

test('traffic that does not add up, or goes to nobody, is refused with all its problems', () => {
  const targets = [
    { revision: 'api-00001-abd', percent: 50 },
    { revision: null, percent: 49.5 },
  ]
  assert.throws(
    () => checkTraffic(targets, ['api-00001-abc']),
    (error: AppError) => {
      assert.equal(error.problems.length, 3)
      assert.match(error.problems.join(), /Did you mean "api-00001-abc"/)
      return true
    },
  )
})

test('a revision moves only as its states allow', () => {
  const revision = { name: revisionName('api', 7, 'abc'), state: 'deploying' } as Revision
  const now = new Date('2026-01-05T05:00:00Z')
  assert.equal(revision.name, 'api-00007-abc')
  const ready = moveRevision(revision, 'ready', null, now)
  assert.deepEqual([ready.state, ready.updatedAt], ['ready', '2026-01-05T05:00:00.000Z'])
  assert.equal(moveRevision(moveRevision(ready, 'draining', null, now), 'retired', null, now).state, 'retired')
  assert.throws(() => moveRevision(ready, 'failed', 'late', now), AppError)
})
