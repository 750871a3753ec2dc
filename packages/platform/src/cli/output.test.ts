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

test('a table gives each line of its last cell, and each thing of a list in it, a line of its own', () => {
  let text = ''
  const out = new Output('table', (written) => {
    text += written
  })
  out.rows([{ file: 'a.ts', error: 'Two things:\n  - one\n  - two' }], ['file', 'error'])
  assert.equal(text, 'file | error\n=====+============\na.ts | Two things:\n     |   - one\n     |   - two\n')
  text = ''
  out.record({ dates: [{ n: 1 }, { n: 2 }] })
  assert.equal(text, 'property | value\n=========+========\ndates    | {"n":1}\n         | {"n":2}\n')
})
