import assert from 'node:assert/strict'
import { test } from 'node:test'
import { didYouMean } from './app-error.ts'

test('what was probably meant is near in its letters; what is longer than any name meant none', () => {
  assert.equal(didYouMean('trian', ['load', 'train']), ' Did you mean "train"?')
  assert.equal(didYouMean('anything', ['load', 'train']), '')
  assert.equal(didYouMean('a'.repeat(1_000_000), ['a'.repeat(1_000_000)]), '')
})
