/** Training: search, refit on all training rows, test, and log all of it as one run. */
import { Booster, train } from '@daggerboard/boost'
import { lightgbmModel, type MlflowClient, type Run } from '@daggerboard/mlflow'
import type { NodeContext, Table } from '@daggerboard/pipeline'
import { FEATURES } from '../columns.ts'
import { type EnvironmentParameters, environmentOf, stageOf } from '../environment.ts'
import { encodeFeatures, type TransformPipeline } from './encoders.ts'
import { evaluate, type Metrics } from './evaluation.ts'
import type { PrimarySource } from './loading.ts'
import { modelInput } from './model-input.ts'
import { drawPrCurve } from './pr-curve.ts'
import { type Hyperparameters, hyperparametersFrom, searchHyperparameters, trainingParameters } from './search.ts'
import { type MlflowParameters, mlflowClient, recorded } from './tracking.ts'

export interface TrainingInputs {
  readonly trainingSet: Table
  readonly testSet: Table
  readonly testRows: Table
  readonly transformPipeline: TransformPipeline
  readonly source: PrimarySource
  readonly maxEvals: number
  readonly training: { readonly folds: number; readonly seed: number }
  readonly mlflow: MlflowParameters
  readonly environment: EnvironmentParameters
}

export interface TrainingOutputs {
  readonly runId: string
  readonly hyperparameters: Hyperparameters
  /** In LightGBM's text format. */
  readonly model: string
  readonly metrics: Metrics
  readonly prCurve: string
}

/** Rows of `serving_check.json`: the API refuses to start when it does not find the same probabilities for them. */
const CHECKED_ROWS = 20

export async function trainModel(inputs: TrainingInputs, { signal, log }: NodeContext): Promise<TrainingOutputs> {
  const { mlflow, environment, source, maxEvals, trainingSet, testSet, training } = inputs
  const client = mlflowClient(mlflow)
  const tags = {
    environment: environmentOf(environment),
    branch: environment.branch,
    commit: environment.commit,
    primary_folder: source.folder,
    data_interval: `${source.start}/${source.end}`,
  }
  return recorded(client, mlflow.experiment, { runName: `${tags.environment} ${source.start}`, tags, signal }, async (run) => {
    log(`MLflow run ${run.id}`)
    await run.logParams({ max_evals: maxEvals, ...training, training_rows: trainingSet.rows, test_rows: testSet.rows })
    const { hyperparameters } = await searchHyperparameters(trainingSet, {
      maxEvals,
      folds: training.folds,
      // Another seed for each interval: weeks that drew the same trials would learn nothing from one another.
      seed: training.seed + daysUntil(source.start),
      startFrom: await hyperparametersInUse(client, mlflow.registered_model, environment),
      signal,
      onTrial: async ({ number, auc, hyperparameters: tried }) => {
        await run.logMetric('trial_auc', auc, number)
        log(`trial ${number + 1} of ${maxEvals}: auc ${auc.toFixed(4)}, ${describe(tried)}`)
      },
    })
    await run.logParams(hyperparameters)
    const booster = await train(modelInput(trainingSet), trainingParameters(hyperparameters, training.seed), { signal })
    const metrics = evaluate(booster, testSet)
    await run.logMetrics(metrics)
    for (const [name, value] of Object.entries(metrics)) log(`${name} ${value.toFixed(4)}`)
    if (metrics.duration_effect < 0) log('warning: a minute more in the shop lowers the mean probability, which is not to be expected')
    const prCurve = drawPrCurve(booster, testSet)
    await logArtifacts(run, booster, prCurve, inputs)
    return { runId: run.id, hyperparameters, model: booster.toText(), metrics, prCurve }
  })
}

/** Those of the model that now has the stage, if there is one and it was found by this search. */
async function hyperparametersInUse(
  client: MlflowClient,
  name: string,
  environment: EnvironmentParameters,
): Promise<Hyperparameters | undefined> {
  const stage = stageOf(environmentOf(environment))
  const version = stage && (await client.latestVersion(name, stage))
  if (!version) return undefined
  return hyperparametersFrom((await client.getRun(version.runId)).params)
}

async function logArtifacts(
  run: Run,
  booster: Booster,
  prCurve: string,
  { testRows, testSet, transformPipeline }: TrainingInputs,
): Promise<void> {
  const few = testRows.take(Array.from({ length: Math.min(CHECKED_ROWS, testRows.rows) }, (_, row) => row))
  const probabilities = [...booster.predict(modelInput(encodeFeatures(few, transformPipeline)).columns)]
  await run.logArtifact('plots/pr_curve.svg', prCurve)
  await run.logArtifact('transform_pipeline.json', JSON.stringify(transformPipeline))
  await run.logArtifact('serving_check.json', JSON.stringify({ rows: few.select(FEATURES).toRecords(), probabilities }))
  const files = lightgbmModel({
    text: booster.toText(),
    runId: run.id,
    signature: { inputs: FEATURES.map((name) => ({ name, type: 'double' })), outputs: [{ type: 'double' }] },
    inputExample: testSet.take([0]).select(FEATURES).toRecords(),
  })
  await run.logModel('model', files)
}

/** Whole days from 1970 to a date; 0 when it is none. */
const daysUntil = (date: string): number => Math.floor(Date.parse(date) / 86_400_000) || 0

const describe = (hyperparameters: Hyperparameters): string =>
  Object.entries(hyperparameters)
    .map(([name, value]) => `${name} ${Number(value.toPrecision(3))}`)
    .join(', ')

/** The probabilities that a model in LightGBM's text gives to rows as the transform wrote them. */
export const predictRows = (text: string, rows: Table, transformPipeline: TransformPipeline): Float64Array =>
  Booster.parse(text).predict(modelInput(encodeFeatures(rows, transformPipeline)).columns)
