import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock } from '../../core/clock.ts'
import { Events } from '../../core/events.ts'
import { Scheduler } from '../../scheduling/scheduler.ts'
import { InlineRunner } from '../memory/task-runner.ts'
import { SqliteDagStore } from './dag.ts'
import { SqliteDagRunStore } from './dag-run.ts'
import { Database } from './database.ts'
import { SqliteTaskInstanceStore } from './task-instance.ts'

const FIRST = {
  ...{ dagId: 'old', description: null, schedule: { kind: 'none' }, timezone: 'UTC', startDate: null, endDate: null, catchup: false },
  ...{ maxActiveRuns: 16, maxActiveTasks: 16, tags: [], owners: ['airflow'], params: {} },
  tasks: [
    {
      ...{ taskId: 'only', operator: 'function', owner: 'airflow', args: {}, upstream: [], downstream: [], input: {}, retries: 0 },
      ...{ triggerRule: 'all_success', retryDelaySeconds: 300, retryBackoff: 0, maxRetryDelaySeconds: null, executionTimeoutSeconds: null },
    },
  ],
}

for (const isStale of [0, 1])
  test(`a DAG that the first version has read ${isStale ? 'and whose file is gone ' : ''}does not stop the start`, async () => {
    const db = new Database(':memory:')
    const dags = new SqliteDagStore(db)
    const row =
      'INSERT INTO dag (dag_id, document, file, source, is_paused, is_stale, has_import_errors, parsed_at) VALUES (?, ?, ?, ?, 0, ?, 0, ?)'
    db.run(row, 'old', JSON.stringify(FIRST), 'old.ts', '', isStale, '2019-10-08T00:00:00.000Z')
    const instances = new SqliteTaskInstanceStore(db)
    const runs = new SqliteDagRunStore(db, instances)
    const clock = new ManualClock(new Date('2019-10-09T00:00:00.000Z'))
    const runner = new InlineRunner(() => 1)
    const scheduler = new Scheduler({ dags, runs, instances, runner, clock, events: new Events(clock, () => {}) })
    await scheduler.start()
    await scheduler.stop()
    const record = await dags.find('old')
    assert.deepEqual([record?.document.groups, record?.document.tasks[0]?.pool], [[], 'default_pool'])
  })
