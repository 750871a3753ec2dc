import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dag } from '@daggerboard/dag'
import { ManualClock } from '../../core/clock.ts'
import { newTaskInstance, type TaskInstance } from '../../scheduling/task-instance.ts'
import { Fernet, newFernetKey } from '../../secrets/fernet.ts'
import { Database } from './database.ts'
import { SqliteTaskInstanceStore } from './task-instance.ts'

const clock = new ManualClock('2019-10-09T12:00:00Z')
const [task] = dag('d', {}, ({ task }) => void task('a', async () => {})).document.tasks
const waiting: TaskInstance = {
  ...newTaskInstance({ dagId: 'd', runId: 'r' }, task as NonNullable<typeof task>),
  state: 'deferred',
  deferral: { wait: { kind: 'trigger', name: 'job', args: { token: 'hush' } }, timeoutAt: null, event: null },
}

test('what a trigger is given is encrypted where it is kept, and read as it was, also after the key has changed', async () => {
  const db = new Database(':memory:')
  const [older, newer] = [newFernetKey(), newFernetKey()]
  new SqliteTaskInstanceStore(db, new Fernet(older, clock)).put(waiting, true)
  const kept = () => db.get<{ deferral: string }>('SELECT deferral FROM task_instance')?.deferral ?? ''
  assert.doesNotMatch(kept(), /hush/)
  const problems: string[] = []
  assert.equal(new SqliteTaskInstanceStore(db, new Fernet(`${newer},${older}`, clock)).rotate(problems), 1)
  assert.deepEqual(problems, [])
  const read = await new SqliteTaskInstanceStore(db, new Fernet(newer, clock)).find('d', 'r', 'a')
  assert.deepEqual(read?.deferral, waiting.deferral)
})

test('a wait that no key can read has failed, and keeps nothing else from being read', async () => {
  const db = new Database(':memory:')
  new SqliteTaskInstanceStore(db, new Fernet(newFernetKey(), clock)).put(waiting, true)
  const store = new SqliteTaskInstanceStore(db, new Fernet(newFernetKey(), clock))
  const problems: string[] = []
  store.rotate(problems)
  assert.match(problems[0] ?? '', /wait of task "a"/)
  const event = (await store.find('d', 'r', 'a'))?.deferral?.event
  assert.match(event && 'error' in event ? event.error : '', /cannot be read/)
})
