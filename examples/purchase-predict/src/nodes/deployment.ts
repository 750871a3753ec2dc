/** Deployment: a version in the model registry and, if it passes the gate, the stage of its environment. */
import { isMissing, type MlflowClient, type Version } from '@daggerboard/mlflow'
import type { NodeContext, Table } from '@daggerboard/pipeline'
import { type EnvironmentParameters, environmentOf, stageOf } from '../environment.ts'
import type { TransformPipeline } from './encoders.ts'
import { aucOn, type Metrics } from './evaluation.ts'
import { type Champion, type GateParameters, passGate, reasonsAgainst } from './gate.ts'
import { type MlflowParameters, mlflowClient } from './tracking.ts'
import { predictRows } from './training.ts'

export interface RegisteredVersion {
  readonly name: string
  readonly version: string
  readonly runId: string
}

/** What the build of the API is told about the model. */
export interface StagedVersion extends RegisteredVersion {
  /** Null in development. */
  readonly stage: string | null
}

export async function pushModelToRegistry(mlflow: MlflowParameters, runId: string, { log }: NodeContext): Promise<RegisteredVersion> {
  const { name, version } = await mlflowClient(mlflow).registerModel({ name: mlflow.registered_model, runId, path: 'model' })
  log(`${name} version ${version}`)
  return { name, version, runId }
}

export interface GateInputs {
  readonly registered: RegisteredVersion
  readonly metrics: Metrics
  readonly testRows: Table
  readonly gate: GateParameters
  readonly mlflow: MlflowParameters
  readonly environment: EnvironmentParameters
}

/** Answers the version that passed. Throws with every reason when it may not pass; no stage has changed then. */
export async function checkGate(inputs: GateInputs, { log }: NodeContext): Promise<RegisteredVersion> {
  const { registered, metrics, testRows, gate, mlflow, environment } = inputs
  const client = mlflowClient(mlflow)
  const stage = stageOf(environmentOf(environment))
  const champion = stage && (await championOf(client, registered.name, stage, testRows, log))
  const reasons = reasonsAgainst(metrics, champion, gate)
  const run = await client.resumeRun(registered.runId)
  if (champion) await run.logMetric('champion_auc', champion.auc)
  await run.setTag('gate', reasons.length === 0 ? 'passed' : `refused: ${reasons.join(' ')}`)
  passGate(registered.name, registered.version, stage, reasons)
  const compared = champion ? `, version ${champion.version} in ${stage} has ${champion.auc.toFixed(4)} on the same rows` : ''
  log(`passed: auc ${metrics.auc.toFixed(4)}, bound ${gate.min_auc}${compared}`)
  return registered
}

/** The model that now has `stage`; none when there is none, when its files are gone, or when it cannot read these rows. */
async function championOf(
  client: MlflowClient,
  name: string,
  stage: string,
  testRows: Table,
  log: NodeContext['log'],
): Promise<Champion | undefined> {
  const current = await client.latestVersion(name, stage)
  if (!current) return undefined
  const unfit = (error: unknown) => log(`version ${current.version} in ${stage} cannot be compared: ${(error as Error).message}`)
  const model = await modelOf(client, current).catch((error: unknown) => {
    // Only what is gone for good lets its successor pass unseen: a server that does not answer must not open the gate.
    if (!isMissing(error)) throw error
    unfit(error)
  })
  if (!model) return undefined
  try {
    const transformPipeline = JSON.parse(model.encoders) as TransformPipeline
    return { version: current.version, auc: aucOn(testRows, predictRows(model.text, testRows, transformPipeline)) }
  } catch (error) {
    // A model with other features cannot be compared and must not block its successor.
    unfit(error)
    return undefined
  }
}

async function modelOf(client: MlflowClient, { name, version, runId }: Version): Promise<{ text: string; encoders: string }> {
  const { files } = await client.downloadModel(`models:/${name}/${version}`)
  const encoders = await client.downloadArtifact(runId, 'transform_pipeline.json')
  return { text: Buffer.from(files.get('model.lgb') ?? '').toString('utf8'), encoders: Buffer.from(encoders).toString('utf8') }
}

/** Gives the version the stage of its environment, and takes it from the one that had it. In development it only says so. */
export async function stageModel(
  { name, version, runId }: RegisteredVersion,
  mlflow: MlflowParameters,
  environment: EnvironmentParameters,
  { log }: NodeContext,
): Promise<StagedVersion> {
  const stage = stageOf(environmentOf(environment))
  if (stage === undefined) {
    log(`branch "${environment.branch}" is development: version ${version} gets no stage`)
    return { name, version, runId, stage: null }
  }
  await mlflowClient(mlflow).transitionStage({ name, version, stage, archiveExisting: true })
  log(`${name} version ${version} is now in ${stage}`)
  return { name, version, runId, stage }
}
