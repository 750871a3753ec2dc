import assert from 'node:assert/strict'
import test from 'node:test'
import { checkServing } from './served-model.ts'
import { ROW, testingPredictor } from './testing-model.ts'

test('a model that predicts here as in training may be served, any other may not', async () => {
  const predictor = await testingPredictor()
  const rows = [ROW, { ...ROW, duration: 10 }]
  const probabilities = predictor.predict({ rows, label: () => '' }).map(({ probability }) => probability)
  checkServing(predictor, { rows, probabilities }, 'purchase_predict version 3')
  assert.throws(
    () => checkServing(predictor, { rows, probabilities: [probabilities[0] ?? 0, 0.123] }, 'purchase_predict version 3'),
    /purchase_predict version 3 must not be served: row 1 .* got 0.123 in training/,
  )
})
