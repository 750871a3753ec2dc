import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { BuildPlatform } from '../../../test/build-platform.ts'
import type { ObjectFolder } from '../../clusters/engine.ts'
import { FilesystemObjectFolder } from '../filesystem/object-folder.ts'
import { GcsObjectFolder } from './object-folder.ts'

describe('objects in buckets', () => {
  let platform: BuildPlatform
  let directory: string
  const signal = AbortSignal.timeout(60_000)

  before(async () => {
    platform = await BuildPlatform.start()
    directory = await mkdtemp(join(tmpdir(), 'objects-'))
    const token = await platform.token()
    await fetch(`${platform.endpoint}/storage/v1/b?project=shop`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'shop-data' }),
    })
  })
  after(async () => {
    await platform.stop()
    await rm(directory, { recursive: true, force: true })
  })

  const folders: Record<string, () => ObjectFolder> = {
    'over the JSON API': () => new GcsObjectFolder({ endpoint: () => platform.endpoint, token: () => platform.token() }),
    'in a directory': () => new FilesystemObjectFolder(join(directory, 'buckets')),
  }
  for (const [where, open] of Object.entries(folders))
    it(`are uploaded, listed, downloaded and deleted ${where}`, async () => {
      const objects = open()
      const file = join(directory, 'part.csv')
      await writeFile(file, 'a,b\n1,2\n')
      const md5Hash = createHash('md5').update('a,b\n1,2\n').digest('base64')
      assert.deepEqual(await objects.upload('gs://shop-data/week 1/data.csv/part-0.csv', file, 'text/csv', signal), { bytes: 8, md5Hash })
      await objects.upload('gs://shop-data/other/part-1.csv', file, 'text/csv', signal)
      assert.deepEqual(await objects.list('gs://shop-data/week 1/', signal), ['gs://shop-data/week 1/data.csv/part-0.csv'])
      await objects.download('gs://shop-data/week 1/data.csv/part-0.csv', join(directory, 'copy.csv'), signal)
      assert.equal(await readFile(join(directory, 'copy.csv'), 'utf8'), 'a,b\n1,2\n')
      await objects.delete('gs://shop-data/week 1/data.csv/part-0.csv', signal)
      await objects.delete('gs://shop-data/week 1/data.csv/part-0.csv', signal)
      assert.deepEqual(await objects.list('gs://shop-data/week 1/', signal), [])
      await assert.rejects(objects.download('gs://shop-data/nothing', join(directory, 'x'), signal), { code: 'not_found' })
    })
})
