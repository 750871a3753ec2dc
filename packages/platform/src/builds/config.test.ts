import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AppError } from '../core/app-error.ts'
import { parseBuildFile, readBuildRequest } from './config.ts'

function problemsOf(text: string, read: (text: string) => unknown = (t) => parseBuildFile(t, 'cloudbuild.yaml')): readonly string[] {
  try {
    read(text)
  } catch (error) {
    if (error instanceof AppError) return error.problems
    throw error
  }
  return []
}

test('snake_case, camelCase and single values where lists may stand all read alike', () => {
  const snake = parseBuildFile(
    'steps:\n- name: bash\n  args: echo hi\n  wait_for: "-"\n  allow_failure: true\nlogs_bucket: gs://logs\ntimeout: 15m\noptions:\n  substitution_option: ALLOW_LOOSE\n',
    'cloudbuild.yaml',
  ).config
  const camel = parseBuildFile(
    '{"steps": [{"name": "bash", "args": ["echo hi"], "waitFor": ["-"], "allowFailure": true}], "logsBucket": "gs://logs", "timeout": "15m", "options": {"substitutionOption": "ALLOW_LOOSE"}}',
    'cloudbuild.json',
  ).config
  assert.deepEqual(snake, camel)
})

test('all problems of a file come at once, each with file, line and column', () => {
  const text = `steps:
- name: bash
  argz: [x]
  args: [1]
- id: one
  name: bash
- id: one
  name: bash
  waitFor: [on, nowhere]
timeout: 25h
bogus: true
`
  assert.deepEqual(problemsOf(text), [
    'cloudbuild.yaml:3:3: "argz" is not a field of a step. Did you mean "args"?',
    'cloudbuild.yaml:4:10: "args" holds text, found number 1. Put it in quotes.',
    'cloudbuild.yaml:7:7: build step #2 - "one": the ID is not unique.',
    'cloudbuild.yaml:9:13: build step #2 - "one" depends on "on", which has not been defined before it. Did you mean "one"?',
    'cloudbuild.yaml:9:17: build step #2 - "one" depends on "nowhere", which has not been defined before it.',
    'cloudbuild.yaml:10:10: 25h is longer than the limit of 24 hours.',
    'cloudbuild.yaml:11:1: "bogus" is not a field of a build.',
  ])
})

test('a file that is no YAML, has no steps, or is no map says so with its place', () => {
  assert.match(problemsOf('steps:\n  - name: "x\n')[0] ?? '', /^cloudbuild\.yaml:\d+:\d+: /)
  assert.match(problemsOf('timeout: 60s\n')[0] ?? '', /^cloudbuild\.yaml:1:1: A build needs at least one step/)
  assert.match(problemsOf('- a\n- b\n')[0] ?? '', /^cloudbuild\.yaml:1:1: a build is a map of fields, found a list/)
})

test('the limits of arguments, steps and names are kept', () => {
  const steps = (n: number, more = '') => `steps:\n${`- name: bash\n${more}`.repeat(n)}`
  assert.match(problemsOf(steps(301))[0] ?? '', /at most 300 steps/)
  assert.match(problemsOf(steps(1, `  args: ["${'x'.repeat(10_001)}"]\n`))[0] ?? '', /:3:10: build step 0 arg 0 too long \(max: 10000\)/)
  assert.match(problemsOf(steps(1, '  env: [novalue]\n'))[0] ?? '', /"novalue" is not KEY=VALUE/)
  assert.match(problemsOf(steps(1, '  dir: ../up\n'))[0] ?? '', /may not go up/)
  assert.match(problemsOf(steps(1, '  timeout: 2h\n'))[0] ?? '', /2h is longer than the build's own timeout/)
  assert.match(problemsOf(steps(1, '  timeout: soon\n'))[0] ?? '', /"soon" is not a duration/)
})

test('a request names the field in place of a line, may hold a source, and loses what only the service writes', () => {
  const { config, source } = readBuildRequest({
    id: 'x',
    status: 'QUEUED',
    steps: [{ name: 'bash', status: 'QUEUED' }],
    source: { storageSource: { bucket: 'b', object: 'o' } },
    timeout: { seconds: '60' },
  })
  assert.deepEqual(config, { steps: [{ name: 'bash' }], timeout: '60s' })
  assert.deepEqual(source, { storageSource: { bucket: 'b', object: 'o' } })
  assert.deepEqual(
    problemsOf('', () => readBuildRequest({ steps: [{ name: 'bash', arg: 'x' }] })),
    ['steps[0].arg: "arg" is not a field of a step. Did you mean "args"?'],
  )
})
