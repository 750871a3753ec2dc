import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock } from '../../core/clock.ts'
import type { Cancellation } from '../../scheduling/cancellation.ts'
import { Fernet, newFernetKey } from '../../secrets/fernet.ts'
import { SqliteCancellationStore } from './cancellation.ts'
import { Database } from './database.ts'
import { SqliteTaskInstanceStore } from './task-instance.ts'

test('what is to be cancelled is kept encrypted, and read after the key has changed', async () => {
  const db = new Database(':memory:')
  const clock = new ManualClock('2019-10-09T12:00:00Z')
  const [older, newer] = [newFernetKey(), newFernetKey()]
  const storeOf = (keys: string) => new SqliteCancellationStore(db, new SqliteTaskInstanceStore(db, new Fernet(keys, clock)))
  const wait: Cancellation['wait'] = { kind: 'trigger', name: 'job', args: { token: 'hush' } }
  storeOf(older).put({ id: 'c', attempt: { taskId: 'a' } as Cancellation['attempt'], wait })
  assert.doesNotMatch(JSON.stringify(db.all('SELECT * FROM cancellation')), /hush/)
  const problems: string[] = []
  assert.equal(storeOf(`${newer},${older}`).rotate(problems), 1)
  assert.deepEqual(problems, [])
  assert.deepEqual(
    (await storeOf(newer).listPending()).map((kept) => kept.wait),
    [wait],
  )
})
