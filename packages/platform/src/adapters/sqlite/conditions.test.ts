import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Conditions } from './conditions.ts'
import { Database } from './database.ts'

test('a list of any length names what is found, or what is left out', (t) => {
  const db = new Database(':memory:')
  t.after(() => db.close())
  db.migrate(`CREATE TABLE t (name TEXT, n INTEGER) STRICT; INSERT INTO t VALUES ('a', 1), ('b"', 2), ('c', 3)`)
  const found = (conditions: Conditions) =>
    db.all<{ name: string }>(`SELECT name FROM t${conditions.where} ORDER BY n`, ...conditions.values).map(({ name }) => name)
  for (const length of [0, 100_000]) {
    const others = Array.from({ length }, (_, i) => `other ${i}`)
    assert.deepEqual(found(new Conditions().in('name', ['b"', 'c', ...others])), ['b"', 'c'])
    assert.deepEqual(found(new Conditions().notIn('name', ['b"', ...others])), ['a', 'c'])
    assert.deepEqual(found(new Conditions().in('n', [3, ...others.map((_, i) => i + 10)])), ['c'])
  }
})
