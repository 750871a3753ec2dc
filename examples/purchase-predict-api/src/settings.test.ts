import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import test from 'node:test'
import { readSettings } from './settings.ts'

const complete = { ENV: 'production', MLFLOW_TRACKING_URI: 'http://127.0.0.1:5000', MLFLOW_REGISTRY_NAME: 'purchase_predict' }

test('production serves the stage Production on port 8080, unless told otherwise', () => {
  const settings = readSettings({ ...complete, MODEL_VERSION: '' })
  assert.deepEqual([settings.stage, settings.port, settings.modelVersion], ['Production', 8080, undefined])
  assert.deepEqual(readSettings({ ...complete, PORT: '81', MODEL_VERSION: '3' }).modelVersion, '3')
})

test('the API refuses to start without its settings, and names all that are missing', () => {
  const { status, stderr } = spawnSync(process.execPath, [join(import.meta.dirname, 'main.ts')], {
    env: { ENV: 'master', PORT: 'x' },
    encoding: 'utf8',
  })
  assert.equal(status, 1)
  for (const part of ['ENV is "master"', 'MLFLOW_TRACKING_URI is not set', 'MLFLOW_REGISTRY_NAME is not set', 'PORT is "x"'])
    assert.match(stderr, new RegExp(part))
})
