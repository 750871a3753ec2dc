/** Predicts the pitch angle of the freshest measurements, every two minutes. */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { dag, delta, param, SkipTask } from '@daggerboard/dag'
import { PREDICTIONS } from '../../wind-farm/src/assets.ts'
import { preparePredictionFeatures } from '../../wind-farm/src/features/prepare.ts'
import { FOLDER_VARIABLE, fileIn, keepNewest, stampFor, windFarmFolder } from '../../wind-farm/src/folder.ts'
import { latestModel } from '../../wind-farm/src/model/model-file.ts'
import { predict } from '../../wind-farm/src/model/predict.ts'

const KEPT_FILES = 10

export default dag(
  'predict',
  {
    description: 'Predictions of the latest model for the latest data',
    schedule: delta('2m'),
    startDate: '2025-01-01',
    maxActiveRuns: 1,
    isPausedUponCreation: true,
    tags: ['wind-farm'],
    params: { data_file: param({ default: 'latest.csv', type: 'string', description: 'Which file of the folder "data" to predict.' }) },
    defaultArgs: { owner: 'wind-farm', retries: 1, retryDelay: '10s', executionTimeout: '10m' },
  },
  ({ task }) => {
    // The model is chosen once for the whole run: a training that ends meanwhile changes the next one.
    const model = task('choose_model', async ({ variable }) => {
      const path = await latestModel(windFarmFolder(await variable(FOLDER_VARIABLE)).models)
      if (path === null) throw new SkipTask('There is no model yet: run the DAG train.')
      return path
    })

    const features = task(
      'prepare_features',
      async (context) => {
        const { input, variable, params, signal } = context
        const folder = windFarmFolder(await variable(FOLDER_VARIABLE))
        const dataPath = fileIn(folder.data, String(params.data_file))
        if (!existsSync(dataPath)) throw new SkipTask('There is no such data: run the DAG get_data_from_engie_hub.')
        const featuresPath = join(folder.features, `${await stampFor(context, folder.features, '.prediction')}.prediction`)
        await preparePredictionFeatures({ dataPath, featuresPath, modelPath: input.model, signal })
        await keepNewest(folder.features, '.prediction', KEPT_FILES)
        return featuresPath
      },
      { input: { model } },
    )

    task(
      'predict',
      async (context) => {
        const { input, variable, outletEvent } = context
        const { predictions } = windFarmFolder(await variable(FOLDER_VARIABLE))
        const stamp = await stampFor(context, predictions, '.csv')
        const path = await predict({ featuresPath: input.features, modelPath: input.model, predictionsFolder: predictions, stamp })
        outletEvent(PREDICTIONS).extra.stamp = stamp
        return path
      },
      { input: { model, features }, outlets: [PREDICTIONS] },
    )
  },
)
