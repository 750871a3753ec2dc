import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import type { Context } from './context.ts'
import type { HumanQuestion } from './host.ts'
import { humanAnswers } from './question.ts'
import { Terminal } from './terminal.ts'

const QUESTION: HumanQuestion = {
  ...{ taskId: 'go', mapIndex: -1, subject: 'Where?', body: null, options: ['eu', 'us', 'asia'], defaults: ['eu'], multiple: true },
  fields: [
    { name: 'note', value: '', schema: {} },
    { name: 'rows', schema: { type: 'integer', description: 'How many rows' } },
  ],
}

function terminal(...lines: readonly string[]) {
  let shown = ''
  const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => stdin })
  const left = [...lines]
  const stderr = Object.assign(new PassThrough(), { isTTY: true })
  stderr.on('data', (text) => {
    shown += text
    if (/[?:\]] .\[\d+G$/.test(shown)) setImmediate(() => stdin.write(`${left.shift()}\n`))
  })
  const context = { stdin, stderr, terminal: new Terminal(stderr as unknown as NodeJS.WriteStream) } as unknown as Context
  return { context, shown: () => shown }
}

const given = (context: Context, ...answers: string[]) => humanAnswers(context, answers, 'dags test')

test('who sits at the terminal chooses by number or by name, and fields take text or JSON', async () => {
  const { context, shown } = terminal('2, Asia', 'fine', '7')
  const { ask } = given(context)
  const meanwhile = setImmediate(() => context.terminal.line('a task goes on'))
  const answer = await ask?.(QUESTION, [], new AbortController().signal)
  clearImmediate(meanwhile)
  assert.deepEqual(answer, { chosen: ['us', 'asia'], paramsInput: { note: 'fine', rows: 7 } })
  assert.match(shown(), /go asks: Where\?\n {2}1 {2}eu\n[\s\S]*with commas between\? \[eu\][\s\S]*How many rows[\s\S]*a task goes on\n$/)
})

test('an empty line takes the default, and what is no option is left for who asks to refuse', async () => {
  const { context, shown } = terminal('', '', '')
  const { signal } = new AbortController()
  assert.deepEqual(await given(context).ask?.(QUESTION, ['"x" is not an option.'], signal), { chosen: ['eu'], paramsInput: {} })
  assert.match(shown(), /^"x" is not an option\.\n/)
  const other = terminal('4', '', 'many')
  assert.deepEqual(await given(other.context).ask?.(QUESTION, [], signal), { chosen: ['4'], paramsInput: { rows: 'many' } })
})

test('answers in advance are options or the JSON of the API; without a terminal nobody else is asked', () => {
  const stdin = new PassThrough()
  const context = { ...terminal().context, stdin } as Context
  const answers = given(context, 'a=eu', 'a=us', 'b={"chosen_options": ["x=y"], "params_input": {"n": 1}}', 'c=x=y')
  assert.equal(answers.ask, null)
  assert.deepEqual(Object.fromEntries(answers.given), {
    a: { chosen: ['eu', 'us'], paramsInput: {} },
    b: { chosen: ['x=y'], paramsInput: { n: 1 } },
    c: { chosen: ['x=y'], paramsInput: {} },
  })
  assert.throws(
    () => given(context, 'a', '=b', 'c={"chosen": []}'),
    ({ problems }: { problems: string[] }) => problems.length === 4,
  )
})
