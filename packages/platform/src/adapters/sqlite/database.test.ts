import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { errorCode } from '../../core/app-error.ts'
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
  const told = /cannot be used just now: database or disk is full\. Make room on the disk/
  assert.throws(fill, (error: Error) => told.test(error.message) && errorCode(error) === 'unavailable' && isOutage(error))
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

test('a file that another process holds is said to be unavailable, and a statement that is wrong is not', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'database-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const [holder, waiting] = [1, 2].map(() => new Database(join(folder, 'platform.sqlite'), 1, 0)) as [Database, Database]
  t.after(() => {
    for (const db of [holder, waiting]) db.close()
  })
  holder.migrate('CREATE TABLE t (n INTEGER)')
  const write = () => waiting.run('INSERT INTO t VALUES (1)')
  holder.transaction(() => {
    for (const held of [write, () => waiting.transaction(write)])
      assert.throws(held, {
        code: 'unavailable',
        message: /^platform\.sqlite cannot be used just now: .* Another process holds it\. Try again\.$/,
      })
  })
  waiting.transaction(write)
  assert.throws(
    () => waiting.get('SELECT n FROM nowhere'),
    (error) => errorCode(error) === 'internal',
  )
})
