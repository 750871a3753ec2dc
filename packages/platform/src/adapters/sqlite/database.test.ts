import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Database } from './database.ts'

test('any number of different statements are answered, and what is used again comes again', (t) => {
  const db = new Database(':memory:')
  t.after(() => db.close())
  db.migrate('CREATE TABLE t (n INTEGER)')
  db.run('INSERT INTO t VALUES (?)', 7)
  const found = Array.from({ length: 2500 }, (_, i) => db.get<{ n: number }>(`SELECT n + ${i} AS n FROM t`)?.n)
  assert.deepEqual(
    found,
    found.map((_, i) => 7 + i),
  )
  assert.equal(db.get<{ n: number }>('SELECT n + 0 AS n FROM t')?.n, 7)
})
