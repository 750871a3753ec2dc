import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { madeUp } from '../test/made-up.ts'
import { Booster, type Dataset, train } from './index.ts'

describe('a booster', () => {
  let dataset: Dataset
  let booster: Booster
  let text: string

  before(async () => {
    const { columns, ...rest } = madeUp(600)
    const holes = (columns[1] as Float64Array).map((value, row) => (row % 7 === 0 ? Number.NaN : value))
    dataset = {
      ...rest,
      columns: [columns[0] as Float64Array, holes, (columns[2] as Float64Array).map((value) => Math.abs(Math.round(value * 5)))],
      categorical: ['c'],
    }
    booster = await train(dataset, { n_estimators: 15, num_leaves: 7, min_data_per_group: 5, cat_smooth: 1 })
    text = booster.toText()
  })

  /** The number of the first line that begins so, from 1. */
  const lineOf = (start: string) => text.split('\n').findIndex((line) => line.startsWith(start)) + 1

  it('predicts exactly the same after it was written and read', () => {
    const again = Booster.parse(text)
    assert.deepEqual(again.predict(dataset.columns), booster.predict(dataset.columns))
    assert.equal(again.toText(), text)
  })

  it('predicts a row as it predicts a table', () => {
    const predicted = booster.predict(dataset.columns)
    dataset.label.forEach((_, row) => {
      assert.equal(booster.predictRow(dataset.columns.map((column) => column[row] as number)), predicted[row])
    })
  })

  it('tells which features it used', () => {
    const splits = booster.featureImportance('split')
    assert.equal(
      splits.reduce((sum, count) => sum + count, 0),
      15 * 6,
    )
    assert.ok((booster.featureImportance('gain')[0] as number) > 0)
    assert.deepEqual(booster.featureNames, ['a', 'b', 'c'])
  })

  it('says how many values it wants', () => {
    assert.throws(() => booster.predictRow([1, 2]), /the row has 2 values but the model has 3 features/)
    assert.throws(() => booster.predict([new Float64Array(1)]), /1 columns but the model has 3 features/)
    assert.throws(() => booster.predict([1, 2, 2].map((size) => new Float64Array(size))), /"b" has 2 values but "a" has 1/)
  })

  const broken: [title: string, damage: (text: string) => string, complaint: (line: typeof lineOf) => RegExp][] = [
    ['no model at all', () => 'hello', () => /line 1: a model begins with the line "tree", not "hello"/],
    ['a model cut off', (t) => t.slice(0, t.length / 2), () => /line \d+: the text ends before "end of trees"/],
    ['an unknown version', (t) => t.replace('version=v4', 'version=v9'), () => /line 2: the format version is "v9"/],
    ['several classes', (t) => t.replace('num_class=1', 'num_class=3'), () => /line 3: num_class is 3/],
    ['an unknown objective', (t) => t.replace('objective=binary', 'objective=multiclass'), () => /line 7: the objective "multiclass/],
    [
      'a lost tree',
      (t) => t.slice(0, t.indexOf('Tree=14')) + t.slice(t.indexOf('end of trees')),
      (at) => new RegExp(`line ${at('tree_sizes')}: .* 14 trees`),
    ],
    [
      'a number that is none',
      (t) => t.replace(/threshold=\S+/, 'threshold=x'),
      (at) => new RegExp(`line ${at('threshold')}: value 1 of threshold is "x"`),
    ],
    [
      'a missing value',
      (t) => t.replace(/leaf_value=\S+ /, 'leaf_value='),
      (at) => new RegExp(`line ${at('leaf_value')}: leaf_value has 6 values but must have 7`),
    ],
    [
      'a child that is none',
      (t) => t.replace(/left_child=\S+/, 'left_child=99'),
      (at) => new RegExp(`line ${at('left_child')}: value 1 of left_child is "99"`),
    ],
    [
      'a tree that goes in a circle',
      (t) => t.replace(/left_child=\S+/, 'left_child=0'),
      (at) => new RegExp(`line ${at('left_child')}: node 0 has the child 0`),
    ],
    ['a missing field', (t) => t.replace(/right_child=.*\n/, ''), (at) => new RegExp(`line ${at('Tree=0')}: "right_child" is missing`)],
    ['a linear tree', (t) => t.replace('is_linear=0', 'is_linear=1'), (at) => new RegExp(`line ${at('is_linear')}: this tree is linear`)],
  ]
  for (const [title, damage, complaint] of broken) {
    it(`refuses ${title}, naming the line`, () => {
      assert.throws(() => Booster.parse(damage(text)), complaint(lineOf))
    })
  }

  it('reads text whose lines end as on Windows', () => {
    assert.deepEqual(Booster.parse(text.replaceAll('\n', '\r\n')).predict(dataset.columns), booster.predict(dataset.columns))
  })
})
