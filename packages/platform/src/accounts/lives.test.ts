import assert from 'node:assert/strict'
import { test } from 'node:test'
import { principal } from '../core/principal.ts'
import { LivesByKind, requireAlive } from './lives.ts'

const running = new Set(['1'])
const lives = new LivesByKind({ build: (id) => running.has(id), task: async (id) => id === 'dag/run/task#2' })

test('whoever still is at work passes, the platform itself always', async () => {
  for (const subject of ['build:1', 'task:dag/run/task#2', 'system'])
    assert.equal((await requireAlive(principal(subject, []), lives)).subject, subject)
})

test('what has ended opens nothing, and neither does a kind of subject that nobody knows', async () => {
  for (const subject of ['build:2', 'task:dag/run/task#1', 'robot:1', 'constructor:1', 'system:1', ''])
    await assert.rejects(requireAlive(principal(subject, []), lives), { code: 'unauthenticated' })
})
