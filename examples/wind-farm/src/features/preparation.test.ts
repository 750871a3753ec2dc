import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { COLUMNS, TARGET } from '../signals.ts'
import { fileOf, generatedFile, noRealSample, ownFolder, REAL_SAMPLE } from '../testing-data.ts'
import { FEATURE_NAMES, fillByRollingMean, fillForward, fitPreparation, prepareFeatures, rowsInTime, seasonOf } from './preparation.ts'
import { readTurbineCsv } from './turbine-table.ts'

const { NaN: gap } = Number
const oneTurbine = (values: number[]) => new Uint16Array(values.length)
const filled = (fill: typeof fillForward, values: number[], turbine = oneTurbine(values), ...rest: number[]): number[] => {
  const column = Float64Array.from(values)
  ;(fill as typeof fillByRollingMean)(column, turbine, Math.max(...turbine) + 1, ...rest)
  return [...column].map((value) => Math.round(value * 1e9) / 1e9)
}
const cell = (features: { names: readonly string[]; columns: readonly Float64Array[] }, name: string, row = 0) =>
  features.columns[features.names.indexOf(name)]?.[row]

test('December to February is season 1, September to November season 4', () => {
  assert.deepEqual([12, 1, 2, 3, 5, 6, 8, 9, 11].map(seasonOf), [1, 1, 1, 2, 2, 3, 3, 4, 4])
})

test('the model has 135 inputs: all measurements but those of the pitch angle, then year, month and season', () => {
  assert.equal(FEATURE_NAMES.length, 135)
  assert.deepEqual(FEATURE_NAMES.slice(-3), ['year', 'month', 'season'])
  assert.ok(!FEATURE_NAMES.some((name) => name.startsWith('Ba_')))
  assert.deepEqual(FEATURE_NAMES.slice(0, 132), COLUMNS.slice(6))
})

test('a gap becomes the last value before it, and stays where there is none', () => {
  assert.deepEqual(filled(fillForward, [gap, 0.2, gap, gap, 0.4, gap]), [gap, 0.2, 0.2, 0.2, 0.4, 0.4])
})

test('a gap becomes the mean of the rows that end with it, in which filled gaps do not count', () => {
  assert.deepEqual(filled(fillByRollingMean, [0.2, 0.4, gap, 0.2, 0.4, 0.3], undefined, 3), [0.2, 0.4, 0.3, 0.2, 0.4, 0.3])
  assert.deepEqual(filled(fillByRollingMean, [gap, 6, gap, gap, gap], undefined, 3), [gap, 6, 6, 6, gap])
})

test('no gap is filled with what another turbine measured', () => {
  const turbine = Uint16Array.of(0, 1, 0, 1)
  assert.deepEqual(filled(fillForward, [1, gap, gap, 5], turbine), [1, gap, 1, 5])
  assert.deepEqual(filled(fillByRollingMean, [1, gap, gap, 5], turbine, 3), [1, gap, 1, 5])
})

test('rows are taken in the order of time, in UTC, and nothing is left missing', async (t) => {
  const path = await fileOf(
    join(await ownFolder(t), 'data.csv'),
    [
      { Wind_turbine_name: 'A', Date_time: '2026-01-01T00:30:00+01:00', Ba_avg: 2, Ws_avg: 7 },
      { Wind_turbine_name: 'A', Date_time: '2025-11-30T12:00:00+00:00', Ba_avg: 1, Ws_avg: 5 },
      { Wind_turbine_name: 'A', Date_time: '2026-03-01T12:00:00+00:00', Ws_avg: 9 },
    ],
    COLUMNS,
  )
  const table = await readTurbineCsv(path, { target: true })
  const rows = rowsInTime(table, 'wanted')
  const features = prepareFeatures(table, rows, fitPreparation(table, rows), 'wanted')
  assert.deepEqual([...(features.label ?? [])], [1, 2])
  assert.deepEqual([cell(features, 'Ws_avg', 0), cell(features, 'Ws_avg', 1)], [5, 7])
  // Half past midnight in France is still last year in UTC.
  assert.deepEqual([cell(features, 'year', 1), cell(features, 'month', 1), cell(features, 'season', 1)], [2025, 12, 1])
  for (const column of features.columns) assert.ok(column.every(Number.isFinite))
})

test('means and medians are those of the training rows, and one row alone is enough to predict', async (t) => {
  const folder = await ownFolder(t)
  const row = (hour: number, Va1_avg: number, Va2_avg: number) => ({
    Wind_turbine_name: 'A',
    Date_time: `2026-01-01T0${hour}:00:00Z`,
    Ba_avg: 1,
    Va1_avg,
    Va2_avg,
  })
  const training = await readTurbineCsv(
    await fileOf(join(folder, 'data.csv'), [row(1, 1, 1), row(2, 2, 2), row(3, 6, 9), row(4, 1000, 1000)], COLUMNS),
    { target: true },
  )
  const preparation = fitPreparation(training, rowsInTime(training, 'wanted').subarray(0, 3))
  assert.equal(preparation.constants.Va1_avg, 3)
  assert.equal(preparation.constants.Va2_avg, 2)

  const alone = await fileOf(join(folder, 'one.csv'), [{ Wind_turbine_name: 'A', Date_time: '2026-02-01T00:00:00Z' }], COLUMNS)
  const request = await readTurbineCsv(alone, { target: false })
  const features = prepareFeatures(request, rowsInTime(request, 'absent'), preparation, 'absent')
  assert.equal(features.label, null)
  assert.deepEqual([cell(features, 'Va1_avg'), cell(features, 'Va2_avg'), cell(features, 'Ws_avg')], [3, 2, 0])
})

test('the real sample becomes 135 inputs', { skip: noRealSample }, async () => {
  const table = await readTurbineCsv(REAL_SAMPLE, { target: true })
  assert.deepEqual([table.rows, table.turbines], [9, ['R80711']])
  const rows = rowsInTime(table, 'wanted')
  const features = prepareFeatures(table, rows, fitPreparation(table, rows), 'wanted')
  assert.equal(features.columns.length, 135)
  assert.equal(new Date(features.time[0] as number).toISOString(), '2013-01-05T20:10:00.000Z')
  assert.deepEqual([cell(features, 'year'), cell(features, 'month'), cell(features, 'season')], [2013, 1, 1])
  // The second anemometer's vanes were not there yet in 2013: a gap that nothing fills is 0.
  assert.equal(cell(features, 'Va1_avg'), 0)
  for (const column of features.columns) assert.ok(column.every(Number.isFinite))
})

test('a made-up day looks like the real thing', async (t) => {
  const table = await readTurbineCsv(await generatedFile(await ownFolder(t), 1), { target: true })
  assert.deepEqual([table.rows, table.turbines.length, table.columns.size], [576, 4, 133])
  const [wind, power, pitch] = ['Ws_avg', 'P_avg', TARGET].map((name) => table.columns.get(name) as Float64Array)
  assert.ok(wind?.every((value) => Number.isNaN(value) || (value >= 0 && value < 40)))
  assert.ok(power?.every((value) => Number.isNaN(value) || (value > -50 && value <= 2051)))
  assert.ok(pitch?.every((value) => Number.isNaN(value) || (value > -3 && value < 95)))
})
