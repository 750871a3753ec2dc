import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { ManualClock } from '../../core/clock.ts'
import { FileTaskLogs } from './task-log.ts'

test('of a log that is too long the beginning and the end are kept, and how much is missing', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'task-logs-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const logs = new FileTaskLogs({ folder, clock: new ManualClock('2019-10-07T05:00:00Z'), mask: (text) => text })
  const of = { dagId: 'd', runId: 'r', taskId: 't', tryNumber: 1 }
  const log = logs.open(of)
  const block = `${'x'.repeat(999)}\n`.repeat(1000)
  log.write('first\n')
  for (let i = 0; i < 20; i++) log.write(block)
  log.write('last\n')
  await log.close()
  const lines = ((await logs.read(of)) ?? '').split('\n')
  assert.equal(lines[0], '2019-10-07T05:00:00.000Z first')
  assert.equal(lines.at(-2), '2019-10-07T05:00:00.000Z last')
  const told = lines.findIndex((line) => line.includes('lines are left out'))
  const missing = Number(/… (\d+) lines/.exec(lines[told] ?? '')?.[1])
  assert.equal(lines.length - 2 + missing, 20_000 + 2)
})
