import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SqliteDagRunStore } from './dag-run.ts'
import { Database } from './database.ts'
import { shapeTable } from './table-shape.ts'
import { SqliteTaskInstanceStore } from './task-instance.ts'
import { SqliteXComStore } from './xcom.ts'

const BEFORE = `
  CREATE TABLE dag_run (
    dag_id TEXT NOT NULL, run_id TEXT NOT NULL, run_type TEXT NOT NULL, state TEXT NOT NULL, logical_date TEXT,
    data_interval_start TEXT NOT NULL, data_interval_end TEXT NOT NULL, run_after TEXT NOT NULL, queued_at TEXT NOT NULL,
    started_at TEXT, ended_at TEXT, conf TEXT NOT NULL, note TEXT, created_by TEXT NOT NULL, revision INTEGER NOT NULL,
    PRIMARY KEY (dag_id, run_id), UNIQUE (dag_id, logical_date)) STRICT;
  CREATE INDEX dag_run_by_state ON dag_run (state, dag_id);
  CREATE TABLE task_instance (
    dag_id TEXT NOT NULL, run_id TEXT NOT NULL, task_id TEXT NOT NULL, operator TEXT NOT NULL, state TEXT NOT NULL,
    try_number INTEGER NOT NULL, max_tries INTEGER NOT NULL, attempt_id TEXT, lost_attempts INTEGER NOT NULL, scheduled_at TEXT,
    queued_at TEXT, started_at TEXT, ended_at TEXT, retry_at TEXT, detail TEXT, rendered_fields TEXT, revision INTEGER NOT NULL,
    PRIMARY KEY (dag_id, run_id, task_id)) STRICT;
  CREATE TABLE xcom (
    dag_id TEXT NOT NULL, run_id TEXT NOT NULL, task_id TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, at TEXT NOT NULL,
    PRIMARY KEY (dag_id, run_id, task_id, key)) STRICT;
  INSERT INTO dag_run VALUES ('d', 'r', 'scheduled', 'running', '2019-10-07', '2019-10-07', '2019-10-08', '2019-10-08', '2019-10-08',
    NULL, NULL, '{"a":1}', 'mine', 'system', 3);
  INSERT INTO task_instance VALUES ('d', 'r', 'z', 'function', 'success', 1, 0, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, '{}', 4);
  INSERT INTO task_instance VALUES ('d', 'r', 'a', 'function', 'running', 1, 0, 'token', 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 3);
  INSERT INTO xcom VALUES ('d', 'r', 'z', 'return_value', '7', '2019-10-08')`

test('a home of an earlier version keeps all of its runs, tasks and XComs', async () => {
  const db = new Database(':memory:')
  db.migrate(BEFORE)
  for (const _ of ['first start', 'second start']) {
    const runs = new SqliteDagRunStore(db)
    const run = await runs.find('d', 'r')
    assert.deepEqual(
      [run?.state, run?.conf, run?.note, run?.backfill, run?.deadlines, run?.revision],
      ['running', { a: 1 }, 'mine', null, [], 3],
    )
    const own = await new SqliteTaskInstanceStore(db).listOfRun('d', 'r')
    assert.deepEqual(
      own.map(({ taskId, mapIndex, state, attemptId, pool }) => [taskId, mapIndex, state, attemptId, pool]),
      [
        ['z', -1, 'success', null, 'default_pool'],
        ['a', -1, 'running', 'token', 'default_pool'],
      ],
    )
    assert.equal((await new SqliteXComStore(db).find('d', 'r', 'z', 'return_value'))?.value, 7)
  }
})

test('a table that has its shape already is left alone', () => {
  const db = new Database(':memory:')
  const create = 'CREATE TABLE t (a TEXT NOT NULL, b INTEGER NOT NULL DEFAULT 2) STRICT'
  shapeTable(db, create)
  db.run('INSERT INTO t (a) VALUES (?)', 'x')
  shapeTable(db, create)
  assert.deepEqual({ ...db.get<object>('SELECT * FROM t') }, { a: 'x', b: 2 })
})
