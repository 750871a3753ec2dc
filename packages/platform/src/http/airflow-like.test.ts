import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isLike } from './airflow-like.ts'

test('a pattern is found anywhere, in any case, with its wildcards', () => {
  for (const pattern of ['', 'ML', 'pipeline%staging', '%l_st%', 'pipeline_ml_staging', '_'.repeat(19)])
    assert.ok(isLike(pattern, 'pipeline_ml_staging'), pattern)
  for (const pattern of ['mlx', 'staging%pipeline', '_'.repeat(20), '(', '.*x']) assert.ok(!isLike(pattern, 'pipeline_ml_staging'), pattern)
})

test('a wildcard behind a backslash is a character like any other', () => {
  assert.ok(isLike('e\\_m', 'pipeline_ml'))
  assert.ok(!isLike('e\\_m', 'pipelinexml'))
  assert.ok(isLike('100\\%', 'at 100% of it'))
})

test('no pattern takes long, however many wildcards it has', () => {
  assert.equal(isLike(`${'%_'.repeat(200)}x`, 'a'.repeat(250)), false)
})
