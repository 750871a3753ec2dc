import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { COLUMNS } from '../signals.ts'
import { fileOf, ownFolder } from '../testing-data.ts'
import { readTurbineCsv } from './turbine-table.ts'

const ROW = { Wind_turbine_name: 'A', Date_time: '2026-01-01T00:00:00Z', Ba_avg: 1 }

test('columns are found by their names, whatever their order, and others are passed over', async (t) => {
  const path = await fileOf(join(await ownFolder(t), 'a.csv'), [{ ...ROW, Ot_avg: 3.5, extra: 9 }], ['extra', ...COLUMNS.toReversed()])
  const table = await readTurbineCsv(path, { target: true })
  assert.equal(table.columns.get('Ot_avg')?.[0], 3.5)
  assert.ok(Number.isNaN(table.columns.get('Ws_avg')?.[0]))
})

test('a file without the columns that are needed is refused with all of them', async (t) => {
  const path = await fileOf(
    join(await ownFolder(t), 'a.csv'),
    [ROW],
    COLUMNS.filter((name) => !['Ot_avg', 'Ba_avg', 'Ba_min'].includes(name)),
  )
  await assert.rejects(readTurbineCsv(path, { target: true }), /has no column Ba_avg, Ot_avg\./)
  await assert.rejects(readTurbineCsv(path, { target: false }), /has no column Ot_avg\./)
})

test('rows that cannot be read are told with their lines, and only the first of many', async (t) => {
  const folder = await ownFolder(t)
  const broken = [{ ...ROW, Ws_avg: 'windy' }, { ...ROW, Date_time: '2026-01-01 00:00' }, ...Array(20).fill({ ...ROW, P_avg: '1,5' })]
  const path = await fileOf(join(folder, 'a.csv'), broken, COLUMNS)
  await assert.rejects(readTurbineCsv(path, { target: true }), (error: Error) => {
    assert.match(error.message, /Line 2: Ws_avg is "windy", not a number\. Line 3: Date_time is "2026-01-01 00:00", not an ISO time/)
    assert.equal(error.message.match(/Line/g)?.length, 5)
    return true
  })
  await writeFile(join(folder, 'b.csv'), `${COLUMNS.join(';')}\nA;2026-01-01T00:00:00Z;1;2\n`)
  await assert.rejects(readTurbineCsv(join(folder, 'b.csv'), { target: true }), /Line 2 has 4 fields, but the header has 138/)
  await writeFile(join(folder, 'c.csv'), '')
  await assert.rejects(readTurbineCsv(join(folder, 'c.csv'), { target: true }), /is empty/)
})
