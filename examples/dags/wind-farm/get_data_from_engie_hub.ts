/** Brings the measurements of the last hour, every two minutes. */

import { join } from 'node:path'
import { dag, delta, param, SkipTask } from '@daggerboard/dag'
import { FRESH_DATA } from '../../wind-farm/src/assets.ts'
import { FOLDER_VARIABLE, keepNewest, stampFor, windFarmFolder } from '../../wind-farm/src/folder.ts'
import { fetchData } from '../../wind-farm/src/hub/fetch-data.ts'
import { makeLatestData } from '../../wind-farm/src/hub/latest-data.ts'
import { HUB_CONNECTION, openHub } from '../../wind-farm/src/hub/open-hub.ts'

const HOUR_MS = 3_600_000
/** A day of runs. */
const KEPT_FILES = 720

export default dag(
  'get_data_from_engie_hub',
  {
    description: 'Measurements of the turbines from the hub of the Connection engie_hub',
    schedule: delta('2m'),
    startDate: '2025-01-01',
    maxActiveRuns: 1,
    isPausedUponCreation: true,
    tags: ['wind-farm'],
    params: { hours: param({ default: 1, type: 'number', exclusiveMinimum: 0, maximum: 168, description: 'How far back to look.' }) },
    defaultArgs: { owner: 'wind-farm', retries: 2, retryDelay: '10s', executionTimeout: '10m' },
  },
  ({ task }) => {
    task(
      'get_data',
      async (context) => {
        const { connection, variable, params, dataIntervalEnd, outletEvent, signal, log } = context
        const { data } = windFarmFolder(await variable(FOLDER_VARIABLE))
        const stamp = await stampFor(context, data, '.csv')
        const dataPath = join(data, `${stamp}.csv`)
        const { hub, close } = await openHub(await connection(HUB_CONNECTION))
        try {
          const start = new Date(dataIntervalEnd.getTime() - Number(params.hours) * HOUR_MS)
          const rows = await fetchData({ hub, dataPath, start, end: dataIntervalEnd, signal, log })
          if (rows === 0) throw new SkipTask('The hub has nothing for this time.')
        } finally {
          await close()
        }
        if (!(await makeLatestData(dataPath, join(data, 'latest.csv')))) log('There are later measurements: they stay the latest.')
        await keepNewest(data, '.csv', KEPT_FILES)
        outletEvent(FRESH_DATA).extra.stamp = stamp
        return dataPath
      },
      { outlets: [FRESH_DATA] },
    )
  },
)
