import assert from 'node:assert/strict'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { preparePredictionFeatures, prepareTrainingFeatures } from '../features/prepare.ts'
import { COLUMNS } from '../signals.ts'
import { fileOf, generatedFile, noRealSample, ownFolder, REAL_SAMPLE } from '../testing-data.ts'
import { LATEST_MODEL, readModel } from './model-file.ts'
import { predict } from './predict.ts'
import { FOREST, trainModel } from './train.ts'

const SMALL = { ...FOREST, n_estimators: 10 }

test('training data becomes a model, and fresh data predictions, by way of files alone', async (t) => {
  const folder = await ownFolder(t)
  const modelsFolder = join(folder, 'models')
  const featuresPath = await prepareTrainingFeatures({
    dataPath: await generatedFile(folder, 14),
    featuresPath: join(folder, 'training.features'),
  })
  const modelPath = await trainModel({ featuresPath, modelsFolder, stamp: '20260119-000000', parameters: SMALL })
  assert.deepEqual((await readdir(modelsFolder)).sort(), ['20260119-000000.json', LATEST_MODEL])
  assert.equal(await readFile(join(modelsFolder, LATEST_MODEL), 'utf8'), await readFile(modelPath, 'utf8'))
  const { metrics, booster } = await readModel(modelPath)
  assert.ok(metrics.rmse < metrics.baselineRmse / 3, `${metrics.rmse} beside ${metrics.baselineRmse}`)
  assert.equal(booster.featureNames.length, 135)

  const fresh = await fileOf(
    join(folder, 'one.csv'),
    [{ Wind_turbine_name: 'R80711', Date_time: '2026-01-20T00:00:00Z', Ws_avg: 7 }],
    COLUMNS,
  )
  const prepared = await preparePredictionFeatures({ dataPath: fresh, featuresPath: join(folder, 'fresh.features'), modelPath })
  const predictionsFolder = join(folder, 'predictions')
  const path = await predict({ featuresPath: prepared, modelPath, predictionsFolder, stamp: '20260120-000100' })
  const text = await readFile(path, 'utf8')
  assert.match(text, /^predictions,predictions_time\n-?[\d.]+,20260120-000100\n$/)
  const latest = () => readFile(join(predictionsFolder, 'latest.csv'), 'utf8')
  assert.equal(await latest(), text)
  await predict({ featuresPath: prepared, modelPath, predictionsFolder, stamp: '20260120-000300' })
  await predict({ featuresPath: prepared, modelPath, predictionsFolder, stamp: '20260120-000100' })
  assert.match(await latest(), /,20260120-000300\n$/, 'a run that is repeated makes nothing new')
})

test('a model that is no better than the mean is not kept', async (t) => {
  const folder = await ownFolder(t)
  const modelsFolder = join(folder, 'models')
  const featuresPath = await prepareTrainingFeatures({ dataPath: await generatedFile(folder, 2), featuresPath: join(folder, 'a.features') })
  const stump = { ...SMALL, min_child_samples: 1_000_000 }
  await assert.rejects(trainModel({ featuresPath, modelsFolder, stamp: '20260119-000000', parameters: stump }), /so it is not kept/)
  await assert.rejects(readdir(modelsFolder), { code: 'ENOENT' })
})

test('the same data and seed give the same model', async (t) => {
  const folder = await ownFolder(t)
  const featuresPath = await prepareTrainingFeatures({
    dataPath: await generatedFile(folder, 10),
    featuresPath: join(folder, 'a.features'),
  })
  const train = (name: string) =>
    trainModel({ featuresPath, modelsFolder: join(folder, name), stamp: '20260119-000000', parameters: SMALL })
  assert.equal(await readFile(await train('one'), 'utf8'), await readFile(await train('two'), 'utf8'))
})

test('the real sample can be trained on and predicted', { skip: noRealSample }, async (t) => {
  const folder = await ownFolder(t)
  const featuresPath = await prepareTrainingFeatures({ dataPath: REAL_SAMPLE, featuresPath: join(folder, 'a.features'), testRatio: 0.3 })
  const parameters = { ...SMALL, min_child_samples: 1, min_data_in_bin: 1 }
  // Nine rows hold too little for a model to beat the mean for sure: either it does, or it says that it does not.
  const modelPath = await trainModel({ featuresPath, modelsFolder: folder, stamp: '20260119-000000', parameters }).catch((error: Error) => {
    assert.match(error.message, /so it is not kept/)
    return null
  })
  if (modelPath === null) return
  const features = await preparePredictionFeatures({ dataPath: REAL_SAMPLE, featuresPath: join(folder, 'b.features'), modelPath })
  const path = await predict({ featuresPath: features, modelPath, predictionsFolder: folder, stamp: '20260120-000100' })
  assert.equal((await readFile(path, 'utf8')).trimEnd().split('\n').length, 10)
})

test('names that are no times, and files that are something else, are refused', async (t) => {
  const folder = await ownFolder(t)
  await writeFile(join(folder, 'a'), '{}')
  await assert.rejects(readModel(join(folder, 'a')), /is not a model of the wind farm/)
  const options = { featuresPath: join(folder, 'a'), modelPath: join(folder, 'a'), predictionsFolder: folder }
  await assert.rejects(predict({ ...options, stamp: '../../etc/passwd' }), /is no name for predictions/)
  await assert.rejects(predict({ ...options, stamp: '20260120-000100' }), /is not a file of features|is not a model/)
})
