import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { combine, DataCatalog, MemoryDataset, PipelineError, run, type Table } from '@daggerboard/pipeline'
import pipelines from './pipeline_registry.ts'
import { deployment } from './pipelines/deployment.ts'
import { processing } from './pipelines/processing.ts'
import { training } from './pipelines/training.ts'
import { generatedRows } from './testing-data.ts'
import { TestingMlflow } from './testing-mlflow.ts'

let mlflow: TestingMlflow
let trackingUri = ''
before(async () => {
  mlflow = new TestingMlflow()
  trackingUri = await mlflow.start()
})
after(() => mlflow.stop())

const afterLoading = combine(processing, training, deployment)
const primary = generatedRows(1500)

interface Circumstances {
  readonly branch?: string
  readonly minAuc?: number
  readonly tolerance?: number
  readonly rows?: Table
  readonly signal?: AbortSignal
}

async function refresh({
  branch = 'staging',
  minAuc = 0.55,
  tolerance = 0.01,
  rows = primary,
  signal = new AbortController().signal,
}: Circumstances) {
  const source = {
    folder: 'gs://daggerboard-data/primary/staging/2019-09-30/data.csv',
    start: '2019-09-30',
    end: '2019-10-07',
    rows: rows.rows,
  }
  const catalog = new DataCatalog({
    datasets: { primary: new MemoryDataset(rows), primary_source: new MemoryDataset(source) },
    parameters: {
      environment: { name: '', branch, commit: 'abc1234' },
      split: { test_ratio: 0.3, seed: 40 },
      automl_max_evals: 2,
      training: { folds: 2, seed: 40 },
      mlflow: { tracking_uri: trackingUri, experiment: 'purchase_predict', registered_model: 'purchase_predict' },
      gate: { min_auc: minAuc, tolerance, min_price_invariance: 0.5 },
    },
  })
  return run(afterLoading, catalog, { signal })
}

test('`global` runs the four pipelines in their order', () => {
  assert.deepEqual(
    pipelines.global?.nodes.map(({ name }) => name),
    'load_primary split_dataset fit_encoders encode_training encode_test auto_ml push_model_to_registry check_gate stage_model'.split(' '),
  )
})

test('a refresh logs its run, registers the version and gives it the stage of its branch', async () => {
  const { mlflow_model_version } = await refresh({})
  assert.deepEqual(mlflow_model_version, { name: 'purchase_predict', version: '1', runId: 'run1', stage: 'Staging' })
  const record = mlflow.runs.get('run1')
  assert.equal(record?.status, 'FINISHED')
  assert.deepEqual([record?.params.max_evals, record?.params.num_leaves !== undefined, record?.tags.gate], ['2', true, 'passed'])
  assert.deepEqual(
    record?.metrics.filter(({ key }) => key === 'trial_auc').map(({ step }) => step),
    [0, 1],
  )
  for (const name of ['auc', 'logloss', 'f1', 'average_precision', 'ece', 'baseline_f1'])
    assert.ok(
      record?.metrics.some(({ key }) => key === name),
      name,
    )
  for (const path of ['plots/pr_curve.svg', 'transform_pipeline.json', 'serving_check.json', 'model/MLmodel', 'model/model.lgb']) {
    assert.ok(mlflow.artifacts.has(`1/run1/${path}`), path)
  }
})

test('the next refresh starts from the parameters in use, is compared on the same test rows, and takes the stage over', async () => {
  await refresh({})
  assert.deepEqual(mlflow.stages, { 1: 'Archived', 2: 'Staging' })
  const champion = mlflow.runs.get('run2')?.metrics.find(({ key }) => key === 'champion_auc')?.value
  assert.equal(champion, mlflow.runs.get('run1')?.metrics.find(({ key }) => key === 'auc')?.value, 'the same rows give the same auc')
})

test('master goes to Production and leaves Staging alone; another branch gets no stage', async () => {
  await refresh({ branch: 'master' })
  await refresh({ branch: 'deeper-trees' })
  assert.deepEqual(mlflow.stages, { 1: 'Archived', 2: 'Staging', 3: 'Production', 4: 'None' })
})

test('a model below the gate fails the pipeline with what to do, and no stage changes', async () => {
  const before = { ...mlflow.stages }
  await assert.rejects(
    refresh({ minAuc: 0.99 }),
    (error: Error) =>
      error instanceof PipelineError &&
      /version 5 cannot go to Staging: its auc 0\.\d{4} is below the gate of 0.99 \(gate.min_auc\)/.test(error.message),
  )
  assert.deepEqual(mlflow.stages, { ...before, 5: 'None' })
  assert.match(mlflow.runs.get('run5')?.tags.gate ?? '', /^refused: its auc/)
})

test('a model that is not as good as the gate wants beside the one in use is refused', async () => {
  await assert.rejects(refresh({ tolerance: -0.2 }), /version 6 cannot go to Staging: its auc .* of version 2, which has the stage now/)
  assert.equal(mlflow.stages[2], 'Staging')
})

test('a server that cannot give the model in use fails the gate; a model whose files are gone does not', async () => {
  const [champion = ''] = Object.entries(mlflow.stages).find(([, stage]) => stage === 'Staging') ?? []
  const file = `1/run${champion}/model/model.lgb`
  mlflow.broken.set(file, 500)
  await assert.rejects(refresh({}), /answered 500/)
  assert.equal(mlflow.stages[champion], 'Staging')
  mlflow.broken.clear()
  for (const name of [...mlflow.artifacts.keys()]) if (name.startsWith(`1/run${champion}/model/`)) mlflow.artifacts.delete(name)
  await refresh({})
  assert.equal(mlflow.stages[champion], 'Archived')
})

test('a run that is stopped or fails is closed as such', async () => {
  const signal = AbortSignal.abort(new Error('enough'))
  await assert.rejects(refresh({ signal }), /enough/)
  const oneClass = primary.with('purchased', new Float64Array(primary.rows).fill(2))
  await assert.rejects(refresh({ rows: oneClass }), /label of row 0 is 2/)
  assert.equal([...mlflow.runs.values()].at(-1)?.status, 'FAILED')
})
