/** MLflow's own Python client against our server, and our client's models in Python. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { lightgbmModel, MlflowClient } from '@daggerboard/mlflow'
import { type ListeningMlflow, listenMlflow } from '../../packages/platform/test/listening-mlflow.ts'
import { askPython, pythonWith } from '../python.ts'

const script = (name: string) => join(import.meta.dirname, name)
interface LoggedInPython {
  text: string
  row: Record<string, number>
  prediction: number
}

let python: string
let server: ListeningMlflow
let folder: string
let model: LoggedInPython

before(async () => {
  python = await pythonWith(['lightgbm', 'mlflow>=3'])
  server = await listenMlflow()
  folder = await mkdtemp(join(tmpdir(), 'daggerboard-conformance-'))
  process.env.MLFLOW_TRACKING_TOKEN = server.token
})

after(async () => {
  await server?.stop()
  await rm(folder, { recursive: true, force: true })
})

test('a training script in Python tracks, registers, promotes and loads its model here', async () => {
  const seen = await askPython<Record<string, unknown> & { model: LoggedInPython }>(python, script('track.py'), { uri: server.uri, folder })
  model = seen.model
  const { model: _, version, difference, ...rest } = seen
  assert.match(String(version), /^3\./)
  assert.ok(Number(difference) < 1e-12, `predictions differ by ${difference}`)
  assert.deepEqual(rest, {
    experiment: ['1', '1'],
    run: {
      status: 'FINISHED',
      name: 'python',
      params: { num_leaves: '7', objective: 'binary', trees: '5', batch: 'yes' },
      auc: 0.8,
      isNaN: true,
      isInfinite: true,
      branch: 'staging',
      dataset: 'purchases',
      models: 1,
    },
    history: [0.7, 0.8],
    'long history': 300,
    searches: [1, 1, 1, 0],
    experiments: ['conformance'],
    artifacts: ['transform/encoders.json'],
    text: 'a note',
    'changed param': 'INVALID_PARAMETER_VALUE',
    versions: ['1', '2'],
    stages: { '1': 'Production', '2': 'Staging' },
    models: ['conformance_model'],
    'by alias': '1',
    'logged models': 1,
    'no such stage': true,
    'after delete': 0,
  })
  assert.deepEqual(server.internalErrors, [])
})

test('a model that our client logged is loaded in Python, with its signature and example', async () => {
  const client = new MlflowClient({ trackingUri: server.uri, token: server.token })
  const run = await client.startRun({ experimentId: await client.setExperiment('typescript') })
  const inputs = Object.keys(model.row).map((name) => ({ name, type: 'double' as const }))
  const files = lightgbmModel({
    text: model.text,
    signature: { inputs, outputs: [{ type: 'tensor', 'tensor-spec': { dtype: 'float64', shape: [-1] } }] },
    inputExample: [model.row],
    runId: run.id,
  })
  await run.logModel('model', files)
  await run.end()
  const { version } = await client.registerModel({ name: 'typescript_model', runId: run.id, path: 'model' })
  await client.transitionStage({ name: 'typescript_model', version, stage: 'Staging', archiveExisting: true })

  for (const uri of ['models:/typescript_model/Staging', `runs:/${run.id}/model`]) {
    const answer = await askPython<Record<string, unknown>>(python, script('load.py'), { uri: server.uri, model: uri, row: model.row })
    assert.deepEqual(
      answer,
      { pyfunc: model.prediction, booster: model.prediction, inputs: Object.keys(model.row), example: [model.row] },
      uri,
    )
  }
  assert.deepEqual(server.internalErrors, [])
})
