import assert from 'node:assert/strict'
import test from 'node:test'
import { type Booster, train } from '@daggerboard/boost'
import type { Table } from '@daggerboard/pipeline'
import { generatedRows, noRealDay, realDay } from '../testing-data.ts'
import { encodeFeatures, fitEncoders } from './encoders.ts'
import { aucOn, durationEffect, evaluate } from './evaluation.ts'
import { modelInput } from './model-input.ts'
import { drawPrCurve } from './pr-curve.ts'
import { FIXED, hyperparametersFrom, searchHyperparameters, type Trial, trainingParameters } from './search.ts'
import { splitRows } from './splitting.ts'
import { predictRows } from './training.ts'

function sets(primary: Table) {
  const [trainingRows, testRows] = splitRows(primary, { test_ratio: 0.3, seed: 40 })
  const pipeline = fitEncoders(trainingRows)
  return { pipeline, testRows, trainingSet: encodeFeatures(trainingRows, pipeline), testSet: encodeFeatures(testRows, pipeline) }
}
const fit = (set: Table, changes = {}): Promise<Booster> => train(modelInput(set), trainingParameters({ ...FIXED, ...changes }, 40))

test('the search tries the fixed parameters first, then those in use, and answers the best trial', async () => {
  const { trainingSet } = sets(generatedRows(600))
  const inUse = { ...FIXED, num_leaves: 10, num_iterations: 40 }
  const search = async () => {
    const trials: Trial[] = []
    const best = await searchHyperparameters(trainingSet, {
      maxEvals: 3,
      folds: 2,
      seed: 1,
      startFrom: inUse,
      onTrial: (trial) => {
        trials.push(trial)
      },
    })
    return { trials, best }
  }
  const { trials, best } = await search()
  assert.deepEqual([trials[0]?.hyperparameters, trials[1]?.hyperparameters], [FIXED, inUse])
  assert.equal(best.auc, Math.max(...trials.map(({ auc }) => auc)))
  assert.deepEqual((await search()).best, best, 'the same seed finds the same')
  assert.deepEqual(hyperparametersFrom(Object.fromEntries(Object.entries(inUse).map(([k, v]) => [k, String(v)]))), inUse)
  assert.equal(hyperparametersFrom({ num_leaves: '60' }), undefined, 'what is no point of this space is left alone')
  await assert.rejects(searchHyperparameters(trainingSet, { maxEvals: 0, folds: 2, seed: 1 }), /automl_max_evals is 0/)
})

test('a model learns the pattern of the generated rows, and is told apart from "always buy" by auc', async () => {
  const { trainingSet, testSet } = sets(generatedRows(6000))
  const metrics = evaluate(await fit(trainingSet, { num_leaves: 10 }), testSet)
  assert.ok(metrics.auc > 0.7, `auc ${metrics.auc}`)
  assert.ok(metrics.ece < 0.1, `ece ${metrics.ece}`)
  assert.ok(metrics.baseline_f1 > 0.6)
  assert.ok(metrics.price_invariance > 0.9, 'invariance: a price that differs by 1 changes little')
  assert.ok(metrics.duration_effect > 0, 'direction: a minute more raises the mean probability')
})

test('the model’s text and the transform pipeline are all that is needed to predict rows of the transform', async () => {
  const { pipeline, testRows, testSet, trainingSet } = sets(generatedRows(600))
  const model = await fit(trainingSet)
  const copy = JSON.parse(JSON.stringify(pipeline))
  assert.deepEqual(predictRows(model.toText(), testRows, copy), model.predict(modelInput(testSet).columns))
})

test('the curve is a picture with its title', async () => {
  const { testSet, trainingSet } = sets(generatedRows(300))
  const picture = drawPrCurve(await fit(trainingSet), testSet)
  assert.match(picture, /^<svg .*average precision 0\.\d{4}.*<polyline points="[\d., ]+".*<\/svg>\n$/s)
})

test('on the real day the fixed parameters reach the published quality', { skip: noRealDay }, async () => {
  const { testRows, testSet, trainingSet } = sets(realDay())
  const model = await fit(trainingSet)
  const metrics = evaluate(model, testSet)
  assert.ok(metrics.auc >= 0.745, `auc ${metrics.auc}`)
  assert.ok(metrics.logloss <= 0.465, `logloss ${metrics.logloss}`)
  assert.ok(metrics.price_invariance > 0.9, `price_invariance ${metrics.price_invariance}`)
  assert.ok(durationEffect(model, testSet) > 0)
  assert.equal(aucOn(testRows, model.predict(modelInput(testSet).columns)), metrics.auc)
})
