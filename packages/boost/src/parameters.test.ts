import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { InvalidInput } from './invalid-input.ts'
import { type Parameters, resolveParameters } from './parameters.ts'

const problemsOf = (parameters: object): readonly string[] => {
  try {
    resolveParameters(parameters as Parameters)
    return []
  } catch (error) {
    assert.ok(error instanceof InvalidInput)
    return error.problems
  }
}

describe('training parameters', () => {
  it("have LightGBM's defaults", () => {
    const settings = resolveParameters({})
    assert.equal(settings.num_leaves, 31)
    assert.equal(settings.min_data_in_leaf, 20)
    assert.equal(settings.learning_rate, 0.1)
    assert.equal(settings.num_iterations, 100)
    assert.equal(settings.max_bin, 255)
  })

  it("go by LightGBM's names and scikit-learn's alike", () => {
    const sklearn: Parameters = {
      n_estimators: 7,
      min_child_samples: 3,
      reg_alpha: 1,
      reg_lambda: 2,
      subsample: 0.5,
      subsample_freq: 2,
      colsample_bytree: 0.4,
    }
    const own: Parameters = {
      num_iterations: 7,
      min_data_in_leaf: 3,
      lambda_l1: 1,
      lambda_l2: 2,
      bagging_fraction: 0.5,
      bagging_freq: 2,
      feature_fraction: 0.4,
    }
    assert.deepEqual(resolveParameters(sklearn), resolveParameters(own))
  })

  it('sample rows for every tree when only the share is given', () => {
    assert.equal(resolveParameters({ subsample: 0.8 }).bagging_freq, 1)
    assert.equal(resolveParameters({ subsample: 0.8, subsample_freq: 5 }).bagging_freq, 5)
    assert.equal(resolveParameters({}).bagging_freq, 0)
  })

  it('are refused all together, each with its name, its value and what it may be', () => {
    const problems = problemsOf({ num_leafs: 60, learning_rate: 0, subsample: 1.5, n_estimators: 2.5, objective: 'binray', max_bin: 256 })
    assert.equal(problems.length, 6)
    assert.ok(problems.includes('There is no parameter "num_leafs". Did you mean "num_leaves"?'))
    assert.ok(problems.includes('learning_rate is 0, but must be a number above 0.'))
    assert.ok(problems.includes('subsample is 1.5, but must be a number above 0 up to 1.'))
    assert.ok(problems.includes('n_estimators is 2.5, but must be a whole number from 1 to 1000000.'))
    assert.ok(problems.includes('max_bin is 256, but must be a whole number from 2 to 255.'))
    assert.ok(problems.some((problem) => problem.includes('Did you mean "binary"?')))
  })

  it('may not contradict themselves by an alias', () => {
    assert.match(problemsOf({ reg_alpha: 1, lambda_l1: 2 })[0] ?? '', /Give one of them/)
    assert.deepEqual(problemsOf({ reg_alpha: 1, lambda_l1: 1 }), [])
  })
})
