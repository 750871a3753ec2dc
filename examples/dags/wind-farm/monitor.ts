/** Adds each prediction to the monitoring table, as soon as there is one. */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { dag, FailTask, SkipTask } from '@daggerboard/dag'
import { PREDICTIONS } from '../../wind-farm/src/assets.ts'
import { isStamp } from '../../wind-farm/src/files.ts'
import { FOLDER_VARIABLE, windFarmFolder } from '../../wind-farm/src/folder.ts'
import { monitor } from '../../wind-farm/src/monitor.ts'

export default dag(
  'monitor',
  {
    description: 'The mean of every prediction, in the table monitoring',
    schedule: PREDICTIONS,
    startDate: '2025-01-01',
    maxActiveRuns: 1,
    isPausedUponCreation: true,
    tags: ['wind-farm'],
    defaultArgs: { owner: 'wind-farm', retries: 2, retryDelay: '10s', executionTimeout: '5m' },
  },
  ({ task }) => {
    // Each event names its prediction, so that none is left out when several came while a run was going on, and none is read before it is there.
    task('monitor', async ({ assetEvents, variable, log }) => {
      const folder = windFarmFolder(await variable(FOLDER_VARIABLE))
      const stamps = assetEvents.map(({ extra }) => String(extra.stamp))
      // Events can be told from outside, and their words become part of a path.
      const odd = stamps.find((stamp) => !isStamp(stamp))
      if (odd !== undefined) throw new FailTask(`An event of ${PREDICTIONS.name} names "${odd}", which is no prediction.`)
      // Run by hand: there is no event.
      if (stamps.length === 0) stamps.push('latest')
      if (!existsSync(join(folder.predictions, 'latest.csv'))) throw new SkipTask('There are no predictions yet: run the DAG predict.')
      for (const stamp of stamps) {
        const rows = await monitor({ predictionsPath: join(folder.predictions, `${stamp}.csv`), monitoringPath: folder.monitoring })
        for (const { predictions_time, predictions } of rows) log(`${predictions_time}: ${predictions.toFixed(3)}°`)
      }
    })
  },
)
