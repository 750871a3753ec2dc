import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as metrics from './metrics.ts'

// Expected values are scikit-learn's.
const LABEL = [0, 0, 1, 1, 0, 1, 1, 0, 1, 1]
const PREDICTED = [0.1, 0.4, 0.35, 0.8, 0.35, 0.9, 0.5, 0.6, 0.6, 0.2]
const WEIGHT = [1, 2, 1, 0.5, 1, 3, 1, 1, 2, 1]

const near = (actual: number, expected: number) => assert.ok(Math.abs(actual - expected) < 1e-12, `${actual} is not ${expected}`)

describe('metrics', () => {
  it('auc counts ties half', () => {
    near(metrics.auc(LABEL, PREDICTED), 0.7083333333333333)
    near(metrics.auc(LABEL, PREDICTED, WEIGHT), 0.776470588235294)
    assert.equal(metrics.auc([1, 0, 1, 0], [0.5, 0.5, 0.5, 0.5]), 0.5)
    assert.ok(Number.isNaN(metrics.auc([1, 1], [0.1, 0.2])))
  })

  it('log loss, F1 and average precision agree with scikit-learn, weighted or not', () => {
    near(metrics.logloss(LABEL, PREDICTED), 0.6154996695621177)
    near(metrics.logloss(LABEL, PREDICTED, WEIGHT), 0.5389479406527189)
    near(metrics.f1(LABEL, PREDICTED), 0.6)
    near(metrics.f1(LABEL, PREDICTED, { weight: WEIGHT }), 0.7333333333333333)
    near(metrics.averagePrecision(LABEL, PREDICTED), 0.8069444444444444)
    near(metrics.averagePrecision(LABEL, PREDICTED, WEIGHT), 0.8695468555315102)
  })

  it('a row of weight 0 counts for nothing', () => {
    near(metrics.averagePrecision([0, 1, 0], [0.9, 0.8, 0.1], [0, 1, 1]), 1)
    near(metrics.auc([0, 1, 0], [0.9, 0.8, 0.1], [0, 1, 1]), 1)
  })

  it('a certain and wrong prediction has a finite log loss', () => {
    assert.ok(Number.isFinite(metrics.logloss([1, 0], [0, 1])))
  })

  it('a precision-recall curve ends with every row called', () => {
    const curve = metrics.precisionRecallCurve(LABEL, PREDICTED)
    assert.deepEqual(curve[0], { threshold: 0.9, precision: 1, recall: 1 / 6 })
    assert.deepEqual(curve.at(-1), { threshold: 0.1, precision: 0.6, recall: 1 })
    assert.equal(curve.length, new Set(PREDICTED).size)
  })

  it('predictions that keep their promises are calibrated', () => {
    const label = [1, 0, 0, 0, 1, 1, 1, 0]
    assert.equal(metrics.calibration(label, [0.25, 0.25, 0.25, 0.25, 0.75, 0.75, 0.75, 0.75]).expectedError, 0)
    near(metrics.calibration(label, new Array(8).fill(1)).expectedError, 0.5)
    assert.equal(metrics.calibration(label, new Array(8).fill(1)).bins.at(-1)?.count, 8)
  })

  it('lengths that differ are refused', () => {
    assert.throws(() => metrics.auc([1, 0], [0.5]), /1 predictions but 2 labels/)
    assert.throws(() => metrics.rmse([], []), /no rows/)
  })
})
