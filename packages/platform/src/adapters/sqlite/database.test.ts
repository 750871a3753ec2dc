import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Database } from './database.ts'
import { isOutage } from './outage.ts'

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

test('why a transaction has failed is told, also where the file has undone it by itself', (t) => {
  const db = new Database(':memory:')
  t.after(() => db.close())
  db.migrate('CREATE TABLE t (text TEXT); PRAGMA max_page_count = 20')
  const fill = () => db.transaction(() => db.run('INSERT INTO t VALUES (?)', 'x'.repeat(1_000_000)))
  assert.throws(fill, (error: Error) => /disk is full/.test(error.message) && isOutage(error))
  db.transaction(() => db.run('INSERT INTO t VALUES (?)', 'y'))
  assert.equal(db.get<{ n: number }>('SELECT count(*) AS n FROM t')?.n, 1)
})

test('a part of a transaction that fails is undone, and the rest of it kept', (t) => {
  const db = new Database(':memory:')
  t.after(() => db.close())
  db.migrate('CREATE TABLE t (n INTEGER NOT NULL)')
  db.transaction(() => {
    db.savepoint(() => db.run('INSERT INTO t VALUES (1)'))
    assert.throws(() =>
      db.savepoint(() => {
        db.run('INSERT INTO t VALUES (2)')
        db.run('INSERT INTO t VALUES (NULL)')
      }),
    )
    db.run('INSERT INTO t VALUES (3)')
  })
  assert.deepEqual(
    db.all<{ n: number }>('SELECT n FROM t').map(({ n }) => n),
    [1, 3],
  )
})
