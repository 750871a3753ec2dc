import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LastWords } from './last-words.ts'

function reasonOf(output: string): string | null {
  const words = new LastWords()
  for (const line of output.split('\n')) words.hear(line)
  return words.reason()
}

test('the sentence that a program prints last is the reason, whatever colours it has', () => {
  assert.equal(
    reasonOf(
      '[5/6] check_gate …\n\u001b[31mModel "purchase_predict" version 2 cannot go to Staging: its auc 0.61 is below 0.75.\u001b[0m\n',
    ),
    'Model "purchase_predict" version 2 cannot go to Staging: its auc 0.61 is below 0.75.',
  )
})

test('of an exception its message is told, not its stack', () => {
  const crash = 'file:///workspace/train.js:3\n  throw new Error()\n  ^\n\nTypeError: rows is not iterable\n    at train (train.js:3:9) {\n'
  assert.equal(reasonOf(`${crash}  code: 'ERR_X'\n}\n\nNode.js v24.21.0`), 'TypeError: rows is not iterable')
})

test('of a failed unit test the title and the message are told, not the counts nor what npm adds', () => {
  const output = `✖ a row per session (2.2ms)
ℹ fail 1
ℹ duration_ms 212.5

✖ failing tests:

test at a.test.js:2:1
✖ a row per session (2.279533ms)
  AssertionError [ERR_ASSERTION]: Expected values to be strictly equal:
  
  1 !== 2
  
      at TestContext.<anonymous> (file:///a.test.js:2:40) {
    generatedMessage: true,
    code: 'ERR_ASSERTION',
    operator: 'strictEqual',
  }
npm error Lifecycle script \`test\` failed with error:
npm error code 1
npm error path /workspace`
  assert.equal(reasonOf(output), 'a row per session: AssertionError [ERR_ASSERTION]: Expected values to be strictly equal: 1 !== 2')
})

test('a nested build is told by what gcloud says of it, not by the table that may follow', () => {
  const said = 'ERROR: (gcloud.builds.submit) build 1-2 completed with status "FAILURE": step exited with non-zero status: 1: No rows.'
  assert.equal(reasonOf(`ID  CREATE_TIME  STATUS\n${said}\n1-2  2026-01-05  FAILURE\n`), said)
})

test('without anything like an error the last line is told; a step that says nothing has no reason', () => {
  assert.equal(reasonOf('one\ntwo\n\n'), 'two')
  assert.equal(reasonOf('\n\n'), null)
  assert.equal(reasonOf('x'.repeat(5000))?.length, 1000)
})
