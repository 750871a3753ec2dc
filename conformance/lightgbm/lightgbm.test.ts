/** Models go both ways between us and the real LightGBM, and predict the same on either side. */

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { Booster, type Dataset, MersenneTwister, metrics, type Parameters, train } from '@daggerboard/boost'
import { askPython, pythonWith } from '../python.ts'

interface Answer {
  readonly version: string
  readonly ours: readonly {
    readonly predicted: number[]
    readonly featureNames: string[]
    readonly splits: number[]
    readonly gains: number[]
    readonly trees: number
    readonly rewritten: string
  }[]
  readonly forests: { readonly same: number[]; readonly sampled: number[] }
  readonly theirs: Readonly<Record<string, { readonly text: string; readonly predicted: number[] }>>
}

const CATEGORY = 2
const FOREST: Parameters = { boosting: 'rf', objective: 'regression', num_leaves: 8 }

describe('models exchanged with the real LightGBM', () => {
  const dataset = madeUp(2000)
  const wholeNumbers = madeUpWholeNumbers(2000)
  let boosters: Booster[]
  let answer: Answer

  before(async () => {
    const python = await pythonWith(['lightgbm'])
    boosters = [
      await train(dataset, { objective: 'binary', n_estimators: 30 }),
      await train(dataset, {
        objective: 'regression',
        n_estimators: 30,
        num_leaves: 12,
        subsample: 0.7,
        colsample_bytree: 0.6,
        reg_alpha: 0.5,
      }),
      await train({ ...dataset, categorical: ['kind'] }, { n_estimators: 30, cat_smooth: 1, min_data_per_group: 5, min_child_samples: 5 }),
      await train(dataset, { objective: 'binary', min_child_samples: 100_000 }),
      await train(dataset, { boosting: 'rf', objective: 'binary', n_estimators: 30, subsample: 0.6, colsample_bytree: 0.6 }),
    ]
    answer = await askPython<Answer>(python, join(import.meta.dirname, 'exchange.py'), {
      // JSON has no NaN: a missing value travels as null.
      columns: dataset.columns.map((column) => Array.from(column)),
      label: Array.from(dataset.label),
      featureNames: dataset.featureNames,
      wholeNumbers: { columns: wholeNumbers.columns.map((column) => Array.from(column)), label: Array.from(wholeNumbers.label) },
      categorical: CATEGORY,
      models: boosters.map((booster) => booster.toText()),
    })
  })

  it('LightGBM reads our models and predicts what we predict', () => {
    answer.ours.forEach((theirs, i) => {
      const booster = boosters[i] as Booster
      assertNear(booster.predict(dataset.columns), theirs.predicted)
      assert.deepEqual(theirs.featureNames, booster.featureNames)
      assert.equal(theirs.trees, booster.treeCount)
      assert.deepEqual(theirs.splits, Array.from(booster.featureImportance('split')))
      booster.featureImportance('gain').forEach((gain, feature) => {
        assert.ok(Math.abs(gain - (theirs.gains[feature] as number)) <= 1e-4 * Math.max(1, gain))
      })
    })
  })

  it('our model written again by LightGBM still predicts the same', () => {
    answer.ours.forEach(({ rewritten }, i) => {
      assertNear((boosters[i] as Booster).predict(dataset.columns), Array.from(Booster.parse(rewritten).predict(dataset.columns)))
    })
  })

  for (const name of ['binary', 'regression', 'categorical', 'zero_as_missing', 'poisson', 'random_forest', 'constant']) {
    it(`we read LightGBM's ${name} model and predict what it predicts`, () => {
      const theirs = answer.theirs[name] as Answer['theirs'][string]
      const booster = Booster.parse(theirs.text)
      assertNear(booster.predict(dataset.columns), theirs.predicted)
      const rows = dataset.columns[0]?.length ?? 0
      for (let row = 0; row < rows; row += 97) {
        const values = dataset.columns.map((column) => column[row] as number)
        assert.equal(booster.predictRow(values), booster.predict(values.map((value) => Float64Array.of(value)))[0])
      }
      assertNear(Booster.parse(booster.toText()).predict(dataset.columns), theirs.predicted)
    })
  }

  it('we train the random forest that LightGBM trains, number by number, where no sampling comes between', async () => {
    const ours = await train(wholeNumbers, { ...FOREST, n_estimators: 3, colsample_bytree: 0.95 })
    assertNear(ours.predict(wholeNumbers.columns), answer.forests.same, 1e-5)
  })

  it('a sampled random forest of ours is as good as one of LightGBM, and answers nearly the same', async () => {
    const booster = await train(wholeNumbers, { ...FOREST, n_estimators: 200, subsample: 0.6 })
    const [ours, theirs] = [booster.predict(wholeNumbers.columns), answer.forests.sampled]
    const [ourError, theirError] = [ours, theirs].map((predicted) => metrics.rmse(wholeNumbers.label, predicted)) as [number, number]
    assert.ok(Math.abs(ourError / theirError - 1) < 0.03, `${ourError} and ${theirError}`)
    assert.ok(metrics.rmse(theirs, ours) < 0.15 * ourError, `${metrics.rmse(theirs, ours)} apart, where the error is ${ourError}`)
  })

  it('our tree sizes are those that LightGBM writes for the same blocks', () => {
    const sizes = (text: string) => /^tree_sizes=(.*)$/m.exec(text)?.[1]?.split(' ').map(Number)
    for (const { text } of Object.values(answer.theirs)) {
      const blocks = text.slice(text.indexOf('Tree=0'), text.indexOf('end of trees')).split(/(?=Tree=)/)
      assert.deepEqual(
        sizes(text),
        blocks.map((block) => Buffer.byteLength(block)),
      )
    }
    for (const booster of boosters) {
      const text = booster.toText()
      const blocks = text.slice(text.indexOf('Tree=0'), text.indexOf('end of trees')).split(/(?=Tree=)/)
      assert.deepEqual(
        sizes(text),
        blocks.map((block) => Buffer.byteLength(block)),
      )
    }
  })
})

function assertNear(actual: ArrayLike<number>, expected: readonly number[], tolerance = 1e-12): void {
  assert.equal(actual.length, expected.length)
  expected.forEach((value, row) => {
    assert.ok(Math.abs((actual[row] as number) - value) <= tolerance, `row ${row}: ${actual[row]} is not ${value}`)
  })
}

/** Quantities with missing values and zeros, and a category that matters. */
function madeUp(rows: number): Dataset {
  const random = new MersenneTwister(7)
  const featureNames = ['amount', 'age', 'kind', 'count', 'constant']
  const columns = featureNames.map(() => new Float64Array(rows))
  const label = new Float64Array(rows)
  for (let row = 0; row < rows; row++) {
    const amount = random.double() < 0.2 ? 0 : random.normal()
    const age = random.double() < 0.15 ? Number.NaN : 50 + 20 * random.normal()
    const kind = random.integer(40)
    const count = random.integer(6)
    const values = [amount, age, kind, count, 3]
    values.forEach((value, feature) => {
      ;(columns[feature] as Float64Array)[row] = value
    })
    const score = amount + (Number.isNaN(age) ? 1 : 0) + ((kind * 7) % 11) / 5 - count / 4 - 1 + random.normal() / 2
    label[row] = score > 0 ? 1 : 0
  }
  return { featureNames, columns, label }
}

/** Few values, each with a bin of its own on either side. */
function madeUpWholeNumbers(rows: number): Dataset {
  const random = new MersenneTwister(3)
  const featureNames = ['a', 'b', 'c', 'd']
  const columns = featureNames.map(() => Float64Array.from({ length: rows }, () => random.integer(60)))
  const [a, b, c] = columns as [Float64Array, Float64Array, Float64Array]
  const label = a.map((value, row) => {
    const step = (b[row] as number) > 30 ? 5 : 0
    return value * 0.3 + step + (value * (c[row] as number)) / 100 + random.normal()
  })
  return { featureNames, columns, label }
}
