import assert from 'node:assert/strict'
import test from 'node:test'
import { openFolder } from './folder.ts'

test('a folder that is neither in a bucket nor on disk is refused', () => {
  assert.throws(
    () => openFolder('s3://bucket/data', () => assert.fail('no storage is needed')),
    /only gs:\/\/BUCKET\/FOLDER and local paths/,
  )
})
