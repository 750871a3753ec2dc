import assert from 'node:assert/strict'
import test from 'node:test'
import type { Metrics } from './evaluation.ts'
import { passGate, reasonsAgainst } from './gate.ts'

const gate = { min_auc: 0.7, tolerance: 0.01, min_price_invariance: 0.9 }
const metrics = (changes: Partial<Metrics>): Metrics => ({
  auc: 0.76,
  logloss: 0.45,
  f1: 0.87,
  average_precision: 0.91,
  ece: 0.02,
  baseline_f1: 0.87,
  price_invariance: 0.95,
  duration_effect: 0.1,
  ...changes,
})

test('a model at its bounds passes', () => {
  assert.deepEqual(reasonsAgainst(metrics({ auc: 0.7, price_invariance: 0.9 }), undefined, gate), [])
  assert.deepEqual(reasonsAgainst(metrics({ auc: 0.75 }), { version: '3', auc: 0.76 }, gate), [])
})

test('a model that fails is told every reason, with the metric, the bound and what to do', () => {
  const reasons = reasonsAgainst(metrics({ auc: 0.69, price_invariance: 0.8 }), { version: '3', auc: 0.71 }, gate)
  assert.throws(
    () => passGate('purchase_predict', '4', 'Staging', reasons),
    (error: Error) =>
      /Model "purchase_predict" version 4 cannot go to Staging/.test(error.message) &&
      /auc 0.6900 is below the gate of 0.7 \(gate.min_auc\)/.test(error.message) &&
      /worse than the 0.7100 of version 3/.test(error.message) &&
      /price_invariance 0.8000 is below 0.9/.test(error.message),
  )
})

test('a model without a measurable auc never passes', () => {
  assert.equal(reasonsAgainst(metrics({ auc: Number.NaN }), { version: '3', auc: 0.7 }, gate).length, 2)
})
