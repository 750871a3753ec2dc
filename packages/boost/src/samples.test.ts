/** Trained on LightGBM's own samples, models are as good as LightGBM's. */

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { missing, readColumn, readTable } from '../test/real-data.ts'
import { metrics, train } from './index.ts'

const BINARY = ['boost/binary.train.tsv.gz', 'boost/binary.test.tsv.gz'] as const
const WEIGHT = 'boost/binary.train.weight.tsv.gz'
const REGRESSION = ['boost/regression.train.tsv.gz', 'boost/regression.test.tsv.gz'] as const

describe("LightGBM's samples", () => {
  it('Higgs: AUC near 0.832 and log loss near 0.504', { skip: missing(...BINARY) }, async () => {
    const [training, test] = BINARY.map(readTable) as [ReturnType<typeof readTable>, ReturnType<typeof readTable>]
    const predicted = (await train(training)).predict(test.columns)
    const auc = metrics.auc(test.label, predicted)
    const loss = metrics.logloss(test.label, predicted)
    assert.ok(Math.abs(auc - 0.832) < 0.01, `AUC ${auc}`)
    assert.ok(Math.abs(loss - 0.504) < 0.01, `log loss ${loss}`)
  })

  it('Higgs with the weights beside it: as good as without', { skip: missing(...BINARY, WEIGHT) }, async () => {
    const [training, test] = BINARY.map(readTable) as [ReturnType<typeof readTable>, ReturnType<typeof readTable>]
    const predicted = (await train({ ...training, weight: readColumn(WEIGHT) })).predict(test.columns)
    assert.ok(metrics.auc(test.label, predicted) > 0.82)
  })

  it('regression: error near 0.4166', { skip: missing(...REGRESSION) }, async () => {
    const [training, test] = REGRESSION.map(readTable) as [ReturnType<typeof readTable>, ReturnType<typeof readTable>]
    const error = metrics.rmse(test.label, (await train(training, { objective: 'regression' })).predict(test.columns))
    assert.ok(Math.abs(error - 0.4166) < 0.01, `error ${error}`)
  })
})
