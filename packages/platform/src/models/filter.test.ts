import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseFilter, parseOrder } from './filter.ts'
import { RUN_FIELDS } from './run.ts'
import { VERSION_FIELDS } from './version.ts'

const read = (filter: string) => parseFilter(filter, RUN_FIELDS)

test('comparisons are read with their entity, key, comparator and value', () => {
  assert.deepEqual(read("metrics.auc>=-1.5e-3 AND param.`a b` != 'it''s' and run_id in ('x', \"y\")"), [
    { entity: 'metric', key: 'auc', comparator: '>=', value: -0.0015 },
    { entity: 'param', key: 'a b', comparator: '!=', value: "it's" },
    { entity: 'attribute', key: 'run_id', comparator: 'IN', value: ['x', 'y'] },
  ])
  assert.deepEqual(read('tags."mlflow.user" IS NOT NULL'), [{ entity: 'tag', key: 'mlflow.user', comparator: 'IS NOT NULL', value: null }])
  assert.deepEqual(read('datasets.digest NOT IN ("a")'), [{ entity: 'dataset', key: 'digest', comparator: 'NOT IN', value: ['a'] }])
  assert.deepEqual(read('  '), [])
  assert.deepEqual(parseFilter('version_number = 3', VERSION_FIELDS), [
    { entity: 'attribute', key: 'version_number', comparator: '=', value: 3 },
  ])
})

test('keys of metrics may hold dots, slashes and dashes without quotes', () => {
  assert.deepEqual(
    read('metrics.val/loss-1.mean < 1').map(({ key }) => key),
    ['val/loss-1.mean'],
  )
})

test('other spellings of an attribute mean the same', () => {
  for (const spelling of ['attributes.start_time', 'attr.created', 'run.start_time', 'start_time'])
    assert.equal(read(`${spelling} > 1`)[0]?.key, 'start_time', spelling)
})

test('what cannot be read is refused, saying where and what to do', () => {
  const refusals: Record<string, RegExp> = {
    'metrics.auc': /ends where a comparator should follow/,
    'metrics.auc >': /ends where a value/,
    'metrics.auc LIKE 1': /"LIKE" does not compare metric.auc. Use one of =/,
    'params.x = 1': /a text in quotes/,
    "params.x = 'a' OR params.y = 'b'": /joined by AND only/,
    "params.x = 'a": /never closed/,
    "metric.auc = 1 AND param.x = 'a' AND": /ends where a field/,
    "run_name IN ('a')": /does not compare/,
    "run_id IN 'a'": /followed by a list/,
    "parms.x = 'a'": /Did you mean "params"/,
    "datasets.colour = 'a'": /datasets have name, digest, context/,
    "params.x = 'a' ; --": /cannot be read/,
    [Array.from({ length: 51 }, () => 'metrics.a > 1').join(' and ')]: /51 comparisons; 50 are allowed/,
  }
  for (const [filter, message] of Object.entries(refusals)) assert.throws(() => read(filter), { code: 'invalid', message }, filter)
})

test('an order is a field with its direction', () => {
  assert.deepEqual(parseOrder(['metrics.auc DESC', 'attributes.start_time', '`end_time` asc'], RUN_FIELDS), [
    { entity: 'metric', key: 'auc', descending: true },
    { entity: 'attribute', key: 'start_time', descending: false },
    { entity: 'attribute', key: 'end_time', descending: false },
  ])
  assert.throws(() => parseOrder(['metrics.auc DOWN'], RUN_FIELDS), /ASC or DESC/)
  assert.throws(() => parseOrder(['datasets.name'], RUN_FIELDS), /cannot be ordered/)
})
