import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { madeUp, take } from '../test/made-up.ts'
import { Booster, type Dataset, InvalidInput, MersenneTwister, metrics, type Parameters, type Progress, train } from './index.ts'
import { parseModel } from './model-parser.ts'

const SMALL: Parameters = { n_estimators: 20, num_leaves: 8 }

const treesOf = async (dataset: Dataset, parameters: Parameters) => parseModel((await train(dataset, parameters)).toText()).trees

describe('training', () => {
  it('finds what decides the label', async () => {
    const booster = await train(madeUp(4000), { n_estimators: 50 })
    const test = madeUp(2000, 2)
    assert.ok(metrics.auc(test.label, booster.predict(test.columns)) > 0.93)
  })

  it('gives the same model for the same seed, and another for another', async () => {
    const dataset = madeUp(500)
    const text = async (seed: number) => (await train(dataset, { ...SMALL, subsample: 0.6, colsample_bytree: 0.6, seed })).toText()
    assert.equal(await text(3), await text(3))
    assert.notEqual(await text(3), await text(4))
  })

  for (const objective of ['binary', 'regression']) {
    it(`lowers the ${objective} loss with every tree when it sees all rows`, async () => {
      const losses: number[] = []
      await train(madeUp(800), { objective, n_estimators: 60, learning_rate: 0.3 }, { onIteration: ({ loss }) => losses.push(loss) })
      assert.equal(losses.length, 60)
      losses.slice(1).forEach((loss, i) => {
        assert.ok(loss <= (losses[i] as number) + 1e-9, `loss rose at tree ${i + 2}`)
      })
    })
  }

  for (const objective of ['binary', 'regression']) {
    it(`counts a ${objective} row of weight n as that row n times`, async () => {
      const dataset = madeUp(120)
      const random = new MersenneTwister(5)
      // Large ones, so that hardly two splits gain the same and rounding cannot choose between them.
      const weight = Float64Array.from(dataset.label, () => 1 + random.integer(99))
      const repeated = Array.from(weight).flatMap((times, row) => new Array<number>(times).fill(row))
      // Counts of rows differ between the two, so no rule may depend on them.
      const parameters: Parameters = { ...SMALL, objective, min_child_samples: 0, min_child_weight: 0.5, min_data_in_bin: 1, max_bin: 200 }
      const weighted = await train({ ...dataset, weight }, parameters)
      const copied = await train(take(dataset, repeated), parameters)
      const [a, b] = [weighted.predict(dataset.columns), copied.predict(dataset.columns)]
      const apart = Math.max(...a.map((value, row) => Math.abs(value - (b[row] as number))))
      assert.ok(apart < 1e-6, `predictions are up to ${apart} apart`)
    })
  }

  it('sends missing values to the side that suits them', async () => {
    const { columns, featureNames } = madeUp(1000)
    const random = new MersenneTwister(9)
    const label = Float64Array.from({ length: 1000 }, () => (random.double() < 0.5 ? 1 : 0))
    const a = (columns[0] as Float64Array).map((value, row) => (label[row] === 1 ? Number.NaN : value))
    const booster = await train({ featureNames, columns: [a, ...columns.slice(1)], label }, SMALL)
    assert.ok(booster.predictRow([Number.NaN, 0, 0]) > 0.8)
    assert.ok(booster.predictRow([0, 0, 0]) < 0.2)
  })

  it('keeps trees within max_depth, num_leaves and min_child_samples', async () => {
    const dataset = madeUp(1000)
    for (const tree of await treesOf(dataset, { n_estimators: 10, num_leaves: 31, max_depth: 3 })) assert.ok(tree.leaves <= 8)
    for (const tree of await treesOf(dataset, { n_estimators: 10, num_leaves: 5 })) assert.equal(tree.leaves, 5)
    // Regression's hessians are 1, so the counts are exact.
    for (const tree of await treesOf(dataset, { objective: 'regression', n_estimators: 10, min_child_samples: 50 })) {
      assert.ok(Math.min(...tree.leafCount) >= 50)
      assert.equal(
        tree.leafCount.reduce((sum, count) => sum + count, 0),
        1000,
      )
    }
  })

  it('really samples rows when subsample is below 1, though subsample_freq is 0', async () => {
    const [tree] = await treesOf(madeUp(1000), { ...SMALL, subsample: 0.5, subsample_freq: 0 })
    assert.equal(tree?.internalCount[0], 500)
  })

  it('looks only at its share of the features', async () => {
    for (const tree of await treesOf(madeUp(1000), { ...SMALL, colsample_bytree: 0.34 })) {
      assert.equal(new Set(tree.splitFeature).size, 1)
    }
  })

  it('shrinks leaf values by reg_alpha and reg_lambda', async () => {
    const largest = async (parameters: Parameters) => {
      const [, second] = await treesOf(madeUp(500), { ...SMALL, ...parameters })
      return Math.max(...(second?.leafValue ?? []).map(Math.abs))
    }
    const plain = await largest({})
    assert.ok((await largest({ reg_lambda: 20 })) < plain)
    assert.ok((await largest({ reg_alpha: 5 })) < plain)
  })

  it('stops early and keeps the trees up to the best', async () => {
    const seen: Progress[] = []
    const booster = await train(
      madeUp(300),
      { n_estimators: 500, learning_rate: 0.3 },
      { validation: madeUp(300, 2), earlyStoppingRounds: 10, onIteration: (progress) => seen.push(progress) },
    )
    const losses = seen.map(({ validationLoss }) => validationLoss as number)
    const best = losses.indexOf(Math.min(...losses)) + 1
    assert.equal(booster.treeCount, best)
    assert.equal(seen.length, best + 10)
    const validation = madeUp(300, 2)
    const again = metrics.logloss(validation.label, booster.predict(validation.columns))
    assert.ok(Math.abs(again - Math.min(...losses)) < 1e-9)
  })

  it('answers the mean where nothing can be split', async () => {
    const label = Float64Array.of(1, 0, 0, 0)
    const booster = await train({ featureNames: ['a'], columns: [new Float64Array(4)], label })
    assert.ok(Math.abs(booster.predictRow([5]) - 0.25) < 1e-12)
    const allOnes = await train({ featureNames: ['a'], columns: [Float64Array.of(1, 2, 3, 4)], label: new Float64Array(4).fill(1) })
    assert.ok(allOnes.predictRow([5]) > 0.999)
    const allMissing = await train({ featureNames: ['a'], columns: [new Float64Array(4).fill(Number.NaN)], label })
    assert.ok(Math.abs(allMissing.predictRow([Number.NaN]) - 0.25) < 1e-12)
  })

  it('splits a categorical feature by sets of categories', async () => {
    const random = new MersenneTwister(3)
    const kind = Float64Array.from({ length: 3000 }, () => random.integer(29))
    const label = kind.map((category) => ((category * 17) % 29 > 14 ? 1 : 0))
    const booster = await train({ featureNames: ['kind'], columns: [kind], label, categorical: ['kind'] }, { ...SMALL, num_leaves: 2 })
    assert.match(booster.toText(), /^num_cat=1$/m)
    assert.ok(metrics.auc(label, booster.predict([kind])) > 0.999)
  })

  it('gives way to other work and ends when it is cancelled', async () => {
    const cancel = new AbortController()
    setImmediate(() => cancel.abort(new Error('enough')))
    await assert.rejects(train(madeUp(5000), { n_estimators: 100_000 }, { signal: cancel.signal }), /enough/)
  })

  describe('of a random forest', () => {
    const FOREST: Parameters = { boosting: 'rf', n_estimators: 20, num_leaves: 8, subsample: 0.6 }

    it('answers the mean of its trees, each of which starts from the mean of the label', async () => {
      const dataset = { ...madeUp(1000), label: madeUp(1000).label.map((value) => 10 + value) }
      const trees = await treesOf(dataset, { ...FOREST, objective: 'regression' })
      const booster = await train(dataset, { ...FOREST, objective: 'regression' })
      assert.equal(booster.treeCount, 20)
      const alone = await train(dataset, { ...FOREST, objective: 'regression', n_estimators: 1 })
      assert.ok(alone.predict(dataset.columns).every((value) => value > 9.9 && value < 11.1))
      assert.ok(new Set(trees.map((tree) => tree.leafValue.join())).size === 20)
      const predicted = booster.predict(dataset.columns)
      assert.ok(metrics.rmse(dataset.label, predicted) < metrics.rmse(dataset.label, alone.predict(dataset.columns)))
    })

    it('has no use for a learning rate', async () => {
      const dataset = madeUp(500)
      const [fast, slow] = await Promise.all([1, 0.01].map((learning_rate) => train(dataset, { ...FOREST, learning_rate })))
      assert.deepEqual(fast?.predict(dataset.columns), slow?.predict(dataset.columns))
    })

    it('tells the loss of the mean, also of rows that it is not trained on', async () => {
      const [dataset, validation] = [madeUp(500), madeUp(300, 2)]
      let last: Progress | undefined
      const booster = await train(dataset, FOREST, {
        validation,
        onIteration: (progress) => {
          last = progress
        },
      })
      assert.ok(Math.abs((last?.loss ?? 0) - metrics.logloss(dataset.label, booster.predict(dataset.columns))) < 1e-9)
      assert.ok(Math.abs((last?.validationLoss ?? 0) - metrics.logloss(validation.label, booster.predict(validation.columns))) < 1e-9)
    })

    it('is written in a text that reads back as the same forest', async () => {
      const dataset = madeUp(300)
      const booster = await train(dataset, FOREST)
      assert.match(booster.toText(), /^average_output$/m)
      assert.match(booster.toText(), /^\[boosting: rf\]$/m)
      assert.deepEqual(Booster.parse(booster.toText()).predict(dataset.columns), booster.predict(dataset.columns))
    })

    it('counts a sample that cannot be split as the mean of the label', async () => {
      const dataset = madeUp(300)
      const constant = Float64Array.from({ length: 300 }, (_, row) => (row < 25 ? 1 : 0))
      const table = { featureNames: ['a', 'rare'], columns: [dataset.columns[0] as Float64Array, constant], label: dataset.label }
      const booster = await train(table, { boosting: 'rf', n_estimators: 10, colsample_bytree: 0.5, min_child_samples: 30 })
      assert.equal(booster.treeCount, 10)
      const mean = dataset.label.reduce((sum, value) => sum + value, 0) / 300
      const predicted = booster.predict(table.columns)
      assert.ok(Math.abs(predicted.reduce((sum, value) => sum + value, 0) / 300 - mean) < 0.05)
    })

    it('is refused when all its trees would be the same', async () => {
      await assert.rejects(train(madeUp(50), { boosting_type: 'rf' }), /Set bagging_fraction or feature_fraction below 1/)
      await assert.rejects(train(madeUp(50), { boosting: 'rff' }), /must be "gbdt" or "rf"\. Did you mean "rf"/)
    })
  })

  it('names everything wrong with the data at once', async () => {
    const dataset: Dataset = {
      featureNames: ['a b', 'c', 'c'],
      columns: [Float64Array.of(1, 2), Float64Array.of(1, Infinity), Float64Array.of(1)],
      label: Float64Array.of(0, 2),
      weight: Float64Array.of(1, -1),
      categorical: ['d'],
    }
    await assert.rejects(train(dataset), (error) => {
      assert.ok(error instanceof InvalidInput)
      for (const words of ['"a b"', 'used twice', 'infinite in row 1', 'has 1 values', 'label of row 1 is 2', 'weight of row 1', '"d"']) {
        assert.ok(
          error.problems.some((problem) => problem.includes(words)),
          words,
        )
      }
      return true
    })
  })

  it('refuses early stopping without a validation set', async () => {
    await assert.rejects(train(madeUp(50), {}, { earlyStoppingRounds: 5 }), /needs a validation set/)
  })
})
