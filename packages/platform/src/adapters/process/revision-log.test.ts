import assert from 'node:assert/strict'
import { closeSync, openSync, writeSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { ManualClock } from '../../core/clock.ts'
import { RevisionLog } from './revision-log.ts'

let home: string

before(async () => {
  home = await mkdtemp(join(tmpdir(), 'log-'))
})

after(() => rm(home, { recursive: true }))

const read = (path: string) => readFile(path, 'utf8').catch(() => null)

test('a log that has grown beyond its limit is begun anew while its process writes, and one older part is kept', async () => {
  const log = new RevisionLog(join(home, 'a.log'), 20)
  log.open('--- begins', () => {})
  // As a process has it, for as long as it runs.
  const output = openSync(log.path, 'a')
  writeSync(output, 'a line and more\n')
  await log.rotate()
  writeSync(output, 'next\n')
  assert.deepEqual([await read(`${log.path}.1`), await read(log.path)], ['--- begins\na line and more\n', 'next\n'])
  await log.rotate()
  assert.equal(await read(log.path), 'next\n', 'within its limit it stays')
  closeSync(output)
  await log.remove()
  assert.deepEqual([await read(`${log.path}.1`), await read(log.path)], [null, null])
})

test('a log is looked at again and again until its process has ended', async () => {
  const log = new RevisionLog(join(home, 'b.log'), 20)
  const clock = new ManualClock('2024-01-01')
  const ended = new AbortController()
  const watching = log.watch(clock, ended.signal)
  log.open('--- begins with a long line', () => {})
  while ((await read(`${log.path}.1`)) === null) clock.advance(10_000)
  ended.abort()
  await watching
})
