import assert from 'node:assert/strict'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { existingFileIn, fileIn, keepNewest, stampFor, windFarmFolder } from './folder.ts'
import { ownFolder } from './testing-data.ts'

const begunAt = (time: string) => {
  const kept = new Map<string, unknown>()
  return {
    taskId: 't',
    firstStartedAt: new Date(time),
    xcomPull: async (_: string, key = '') => kept.get(key) ?? null,
    xcomPush: async (key: string, value: unknown) => void kept.set(key, value),
  }
}

test('what a task makes is named by when it began; tries share a name, and runs never do', async (t) => {
  const folder = await ownFolder(t)
  const first = begunAt('2026-01-12T09:30:59.700Z')
  const second = begunAt('2026-01-12T09:30:59.900Z')
  assert.equal(await stampFor(first, folder, '.csv'), '20260112-093059')
  await writeFile(join(folder, '20260112-093059.csv'), '')
  assert.equal(await stampFor(first, folder, '.csv'), '20260112-093059')
  assert.equal(await stampFor(second, folder, '.csv'), '20260112-093100')
  assert.equal(await stampFor(begunAt('2026-01-12T09:30:59Z'), folder, '.json'), '20260112-093059')
})

test('only the newest of the named files are kept, and no other is touched', async (t) => {
  const folder = await ownFolder(t)
  for (const name of ['20260101-000000.csv', '20260103-000000.csv', '20260102-000000.csv', '20260101-000000.json', 'own.csv', 'latest.csv'])
    await writeFile(join(folder, name), '')
  await keepNewest(folder, '.csv', 2)
  assert.deepEqual((await readdir(folder)).sort(), [
    '20260101-000000.json',
    '20260102-000000.csv',
    '20260103-000000.csv',
    'latest.csv',
    'own.csv',
  ])
})

test('no name leads out of a folder, and the folder is not a matter of where somebody stands', () => {
  assert.equal(fileIn('/f', 'la-haute-borne.csv'), '/f/la-haute-borne.csv')
  for (const name of ['../x', '/etc/passwd', '', '.hidden', 'a/b', 'a\\b'])
    assert.throws(() => fileIn('/f', name), /is no name of a file/, name)
  assert.throws(() => windFarmFolder('here'), /absolute path/)
})

test('a file of one’s own that is not there is told with its path', async (t) => {
  const folder = await ownFolder(t)
  await writeFile(join(folder, 'own.csv'), '')
  assert.equal(existingFileIn(folder, 'own.csv'), join(folder, 'own.csv'))
  assert.throws(() => existingFileIn(folder, 'other.csv'), /^UnusableData: There is no file .*other\.csv\. Put it there/)
})
