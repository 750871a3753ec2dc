import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AppError } from '../core/app-error.ts'
import { concerns, matchesFile, readTrigger, type Trigger, watches } from './trigger.ts'

const trigger = (fields: Partial<Trigger> = {}): Trigger => ({
  id: 't',
  projectId: 'shop',
  name: 'build-api',
  triggerTemplate: { repoName: 'api', branchName: '^staging$' },
  createTime: '',
  createdBy: 'system',
  ...fields,
})

test('a trigger watches the branches of its repository that its expression matches', () => {
  assert.equal(watches(trigger(), 'api', 'refs/heads/staging'), true)
  assert.equal(watches(trigger(), 'api', 'refs/heads/staging-2'), false)
  assert.equal(watches(trigger(), 'other', 'refs/heads/staging'), false)
  assert.equal(watches(trigger(), 'api', 'refs/tags/staging'), false)
  assert.equal(watches(trigger({ disabled: true }), 'api', 'refs/heads/staging'), false)
  const inverted = trigger({ triggerTemplate: { repoName: 'api', branchName: '^staging$', invertRegex: true } })
  assert.equal(watches(inverted, 'api', 'refs/heads/feature/x'), true)
  assert.equal(watches(trigger({ triggerTemplate: { repoName: 'api', tagName: '^v\\d+' } }), 'api', 'refs/tags/v12'), true)
})

test('ignored files do not count, and included ones must be among the rest', () => {
  const files = { ignoredFiles: ['docs/**', '*.md'], includedFiles: ['src/**'] }
  assert.equal(concerns(trigger(files), []), true)
  assert.equal(concerns(trigger(files), ['docs/a/b.txt', 'README.md']), false)
  assert.equal(concerns(trigger(files), ['src/app.ts', 'README.md']), true)
  assert.equal(concerns(trigger(files), ['package.json']), false)
})

test('globs stop at folders unless they are doubled', () => {
  assert.equal(matchesFile('*.md', 'docs/a.md'), false)
  assert.equal(matchesFile('**/*.md', 'docs/a.md'), true)
  assert.equal(matchesFile('**/*.md', 'a.md'), true)
  assert.equal(matchesFile('src/**', 'src/a/b.ts'), true)
})

test('a trigger with a bad name, no repository and a broken expression is refused with all three', () => {
  try {
    readTrigger({ name: 'not a name', triggerTemplate: { branchName: '(' }, substitutions: { low: 'x' } })
    assert.fail('it was read')
  } catch (error) {
    assert.ok(error instanceof AppError)
    assert.equal(error.problems.length, 4)
  }
})
