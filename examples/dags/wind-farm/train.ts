/** Trains the random forest on the last weeks, every four weeks. */

import { join } from 'node:path'
import { dag, delta, FailTask, param } from '@daggerboard/dag'
import { MODEL } from '../../wind-farm/src/assets.ts'
import { prepareTrainingFeatures } from '../../wind-farm/src/features/prepare.ts'
import { existingFileIn, FOLDER_VARIABLE, keepNewest, stampFor, windFarmFolder } from '../../wind-farm/src/folder.ts'
import { fetchData } from '../../wind-farm/src/hub/fetch-data.ts'
import { addressOf, HUB_CONNECTION, openHub } from '../../wind-farm/src/hub/open-hub.ts'
import { trackModel } from '../../wind-farm/src/model/track.ts'
import { trainModel } from '../../wind-farm/src/model/train.ts'

const DAY_MS = 86_400_000
const KEPT_FILES = 3

export default dag(
  'train',
  {
    description: 'A model of the pitch angle, from measurements to the folder of models',
    schedule: delta('4w'),
    startDate: '2025-01-01',
    maxActiveRuns: 1,
    isPausedUponCreation: true,
    tags: ['wind-farm'],
    params: {
      days: param({ default: 28, type: 'integer', minimum: 2, maximum: 1500, description: 'How many of the last days to train on.' }),
      data_file: param({ default: '', type: 'string', description: 'A CSV in the folder "training" to train on instead.' }),
      mlflow_connection: param({
        default: '',
        type: 'string',
        description: 'Connection of the MLflow server that keeps a record, if any.',
      }),
    },
    defaultArgs: { owner: 'wind-farm', retries: 1, retryDelay: '1m', executionTimeout: '2h' },
  },
  ({ task }) => {
    const data = task('get_training_data', async (context) => {
      const { connection, variable, params, dataIntervalEnd, signal, log } = context
      const folder = windFarmFolder(await variable(FOLDER_VARIABLE))
      if (params.data_file) return existingFileIn(folder.training, String(params.data_file))
      const dataPath = join(folder.training, `${await stampFor(context, folder.training, '.csv')}.csv`)
      const { hub, close } = await openHub(await connection(HUB_CONNECTION))
      try {
        const start = new Date(dataIntervalEnd.getTime() - Number(params.days) * DAY_MS)
        const rows = await fetchData({ hub, dataPath, start, end: dataIntervalEnd, signal, log })
        if (rows === 0) throw new FailTask(`The hub has nothing since ${start.toISOString()}. Train on a file of your own: data_file.`)
      } finally {
        await close()
      }
      await keepNewest(folder.training, '.csv', KEPT_FILES)
      return dataPath
    })

    const features = task(
      'prepare_features',
      async (context) => {
        const { input, variable, signal } = context
        const folder = windFarmFolder(await variable(FOLDER_VARIABLE))
        const featuresPath = join(folder.features, `${await stampFor(context, folder.features, '.training')}.training`)
        await prepareTrainingFeatures({ dataPath: input.data, featuresPath, signal })
        await keepNewest(folder.features, '.training', KEPT_FILES)
        return featuresPath
      },
      { input: { data } },
    )

    const model = task(
      'train_model',
      async (context) => {
        const { input, variable, outletEvent, signal, log } = context
        const { models } = windFarmFolder(await variable(FOLDER_VARIABLE))
        const stamp = await stampFor(context, models, '.json')
        const modelPath = await trainModel({ featuresPath: input.features, modelsFolder: models, stamp, signal, log })
        outletEvent(MODEL).extra.stamp = stamp
        return modelPath
      },
      { input: { features }, outlets: [MODEL] },
    )

    task(
      'track_model',
      async ({ input, connection, params, runId, signal, log }) => {
        if (!params.mlflow_connection) return log('No MLflow server is named: nothing is recorded.')
        const server = await connection(String(params.mlflow_connection))
        const { endpoint } = addressOf(server)
        const version = await trackModel({
          modelPath: input.model,
          trackingUri: endpoint,
          token: server.password ?? undefined,
          runName: runId,
          signal,
        })
        log(`Recorded as version ${version} of wind_farm.`)
      },
      { input: { model } },
    )
  },
)
