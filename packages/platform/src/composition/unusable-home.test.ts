import assert from 'node:assert/strict'
import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { Database } from '../adapters/sqlite/database.ts'
import { AppError } from '../core/app-error.ts'
import { refusalOf } from './unusable-home.ts'

const thrownBy = (what: () => unknown): unknown => {
  try {
    what()
  } catch (error) {
    return error
  }
  return null
}

test('a home that cannot be used is named, with why and what to do', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'home-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const file = join(folder, 'file')
  await writeFile(file, 'this is no database, and it is long enough to be seen to be none'.repeat(20))
  const told = (what: () => unknown, home: string): string => {
    const refusal = refusalOf(thrownBy(what), home)
    assert.ok(refusal instanceof AppError)
    assert.ok(refusal.message.startsWith(`The home folder ${home} cannot be used: `))
    return refusal.message
  }
  for (const home of [file, join(file, 'below')])
    assert.match(
      told(() => mkdirSync(home, { recursive: true }), home),
      /is not a folder\. Set DAGGERBOARD_HOME/,
    )
  assert.match(
    told(() => new Database(file), folder),
    /one of its databases is damaged \(file is not a database\)\. Bring it back/,
  )
  const full = () => {
    const db = new Database(':memory:')
    db.migrate('PRAGMA max_page_count = 1; CREATE TABLE a (b); CREATE TABLE c (d)')
  }
  assert.match(told(full, folder), /its disk is full\. Make room/)
  const readOnly = () => {
    const db = new Database(':memory:')
    db.migrate('CREATE TABLE a (b); PRAGMA query_only = 1')
    db.run('INSERT INTO a VALUES (1)')
  }
  assert.match(told(readOnly, folder), /cannot be written to \(attempt to write a readonly database\)\. Make it yours/)
  const below = join(folder, 'gone', 'file')
  assert.match(
    told(() => writeFileSync(below, ''), folder),
    /cannot be written to \(ENOENT/,
  )
})

test('what is not about the home is told as it is', () => {
  const elsewhere = thrownBy(() => closeSync(openSync('/nowhere/at/all', 'r')))
  for (const error of [elsewhere, new Error('something else'), 'text']) assert.equal(refusalOf(error, '/tmp/home'), error)
})
