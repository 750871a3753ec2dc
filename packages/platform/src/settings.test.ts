import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AppError } from './core/app-error.ts'
import { readSettings } from './settings.ts'

test('without any environment the platform has a home, a port and a project', () => {
  const settings = readSettings({})
  assert.equal(settings.port, 8080)
  assert.match(settings.home, /\.daggerboard$/)
  assert.equal(settings.project, 'daggerboard')
})

test('all that is wrong with the settings is said at once, with the name that was probably meant', () => {
  assert.throws(
    () =>
      readSettings({ DAGGERBOARD_PORT: 'eighty', DAGGERBOARD_HOM: '/x', DAGGERBOARD_ADMIN_PASSWORD: 'pssst', DAGGERBOARD_VAR_ANY: 'fine' }),
    (error: AppError) => {
      assert.equal(error.problems.length, 3)
      assert.match(error.problems.join('\n'), /DAGGERBOARD_PORT=eighty: must be a whole number/)
      assert.doesNotMatch(error.problems.join('\n'), /pssst/)
      assert.match(error.problems.join('\n'), /DAGGERBOARD_HOM is not a setting\. Did you mean "DAGGERBOARD_HOME"\?/)
      return true
    },
  )
})
