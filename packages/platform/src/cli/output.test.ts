import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Format, Output } from './output.ts'

const ROWS = [
  { dag_id: 'a', owners: ['x', 'y'], note: 'two\nlines', extra: { k: 1 } },
  { dag_id: 'long_one', owners: [], note: null, extra: { k: 2 } },
]

function written(format: Format, rows: typeof ROWS): string {
  let text = ''
  new Output(format, (more) => {
    text += more
  }).rows(rows, ['dag_id', 'owners', 'note', ['k', (row) => row.extra.k]], 'There are none.')
  return text
}

test('a table has the columns that people ask for, data has everything', () => {
  assert.equal(
    written('table', ROWS),
    'dag_id   | owners | note        | k\n=========+========+=============+==\na        | x, y   | two ⏎ lines | 1\nlong_one |        |             | 2\n',
  )
  assert.equal(
    written('plain', ROWS),
    'dag_id    owners  note         k\na         x, y    two ⏎ lines  1\nlong_one                       2\n',
  )
  assert.deepEqual(JSON.parse(written('json', ROWS)), ROWS)
  assert.match(written('yaml', ROWS), /^- dag_id: a\n {2}owners:\n {4}- x/)
})

test('nothing is a sentence for people and an empty list for programs', () => {
  assert.equal(written('table', []), 'There are none.\n')
  assert.equal(written('json', []), '[]\n')
  assert.equal(written('plain', []), '')
})

test('no cell can rewrite the terminal', () => {
  assert.doesNotMatch(
    written('table', [{ dag_id: '\u001b[2Jgone', owners: [], note: null, extra: { k: 1 } }]),
    new RegExp(String.fromCharCode(27)),
  )
})
