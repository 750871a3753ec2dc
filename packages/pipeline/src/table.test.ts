import assert from 'node:assert/strict'
import test from 'node:test'
import { formatCsv, parseCsv } from './csv.ts'
import { Table } from './table.ts'

test('columns of numbers and of texts are told apart, and missing values stay missing', () => {
  const table = parseCsv('id,brand,price\n1,acer,9.5\n2,,\n')
  assert.deepEqual([...table.numbers('id')], [1, 2])
  assert.deepEqual(table.texts('brand'), ['acer', null])
  assert.deepEqual(table.row(1), { id: 2, brand: null, price: null })
})

test('a table survives being written and read, with quotes, separators and line ends inside cells', () => {
  const table = Table.fromRecords([
    { name: 'a "b", c\nd', value: 0.1 },
    { name: null, value: null },
    { name: 'é', value: 1e21 },
  ])
  assert.deepEqual(parseCsv(formatCsv(table)).toRecords(), table.toRecords())
  assert.deepEqual(parseCsv('a,b\r\n1,\r\n"x""y",2').toRecords(), [
    { a: '1', b: null },
    { a: 'x"y', b: 2 },
  ])
})

test('a column keeps the type that is asked for, even when it holds only numbers or nothing', () => {
  assert.deepEqual(parseCsv('session,brand\n12,\n', { types: { session: 'text', brand: 'text' } }).toRecords(), [
    { session: '12', brand: null },
  ])
  assert.throws(() => parseCsv('price\nx\n', { types: { price: 'number' }, source: 'part-1' }), /part-1: row 2 of column "price" is "x"/)
})

test('a broken file is refused with its place', () => {
  assert.throws(() => parseCsv('a,b\n1,2\n3\n', { source: 'rows.csv' }), /rows.csv: row 3 has 1 cells, but the header has 2 columns/)
  assert.throws(() => parseCsv('a\n1\n', { types: { b: 'text' } }), /"b" is not in the header/)
  assert.throws(() => parseCsv('a,b\n"open,2\n'), /does not end properly/)
})

test('tables are taken apart and joined by rows and by columns', () => {
  const table = Table.fromRecords([
    { a: 1, b: 'x' },
    { a: 2, b: 'y' },
  ])
  const joined = Table.concat([table, table.take([1])])
  assert.deepEqual([...joined.numbers('a')], [1, 2, 2])
  assert.deepEqual(joined.drop(['a']).names, ['b'])
  assert.deepEqual(joined.with('c', new Float64Array(3)).select(['c', 'a']).names, ['c', 'a'])
  assert.throws(() => table.numbers('aa'), /no column "aa". Did you mean "a"\?/)
  assert.throws(() => Table.concat([table, table.drop(['a'])]), /different columns/)
})
