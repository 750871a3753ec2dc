import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { monitor, readMonitoring } from './monitor.ts'
import { ownFolder } from './testing-data.ts'

test('the table has the mean of each prediction, once, however often it is monitored', async (t) => {
  const folder = await ownFolder(t)
  const [predictionsPath, later, monitoringPath] = ['a.csv', 'b.csv', 'monitoring.sqlite'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ]
  await writeFile(predictionsPath, 'predictions,predictions_time\n12,20200101-120000\n14,20200101-120000\n')
  await writeFile(later, 'predictions,predictions_time\n5,20200101-120200\n')
  const row = { predictions_time: '20200101-120000', predictions: 13 }
  assert.deepEqual(await monitor({ predictionsPath, monitoringPath }), [row])
  await Promise.all([later, predictionsPath].map((path) => monitor({ predictionsPath: path, monitoringPath })))
  assert.deepEqual(readMonitoring(monitoringPath), [row, { predictions_time: '20200101-120200', predictions: 5 }])
})

test('a file that holds no predictions is refused with its line', async (t) => {
  const folder = await ownFolder(t)
  const options = { predictionsPath: join(folder, 'a.csv'), monitoringPath: join(folder, 'monitoring.sqlite') }
  await writeFile(options.predictionsPath, 'predictions,predictions_time\n12,20200101-120000\nNaN,20200101-120000\n')
  await assert.rejects(monitor(options), /Line 3 is "NaN,20200101-120000"/)
  await writeFile(options.predictionsPath, 'a,b\n')
  await assert.rejects(monitor(options), /is not a file of predictions/)
})
