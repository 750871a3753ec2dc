import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Database } from '../adapters/sqlite/database.ts'
import { SqliteUserStore } from '../adapters/sqlite/user.ts'
import { hashPassword, logIn } from './user.ts'

test('a flood of guesses is turned away, and whoever comes after it gets in', async () => {
  const users = new SqliteUserStore(new Database(':memory:'))
  await users.save({ name: 'ada', role: 'viewer', passwordHash: await hashPassword('correct horse') })
  const guesses = await Promise.allSettled(Array.from({ length: 50 }, (_, i) => logIn(users, 'ada', `guess ${i}`)))
  const codes = guesses.map((guess) => (guess.status === 'rejected' ? (guess.reason as { code: string }).code : 'in'))
  assert.deepEqual([...new Set(codes)].sort(), ['unauthenticated', 'unavailable'])
  assert.equal(codes.filter((code) => code === 'unauthenticated').length, 20)
  assert.equal((await logIn(users, 'ada', 'correct horse')).name, 'ada')
})
