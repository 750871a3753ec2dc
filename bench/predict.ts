/** How fast the example API predicts: its own server in a process, with a model of the reference's size from an MLflow server beside it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { type Booster, type Dataset, train } from '@daggerboard/boost'
import { lightgbmModel, MlflowClient } from '@daggerboard/mlflow'
import { ROW, TRANSFORM_PIPELINE } from '../examples/purchase-predict-api/src/testing-model.ts'
import { type ListeningMlflow, listenMlflow } from '../packages/platform/test/listening-mlflow.ts'
import { type Load, measure } from './load/measure.ts'

const API = resolve(import.meta.dirname, '../examples/purchase-predict-api')
const NAME = 'purchase_predict'
const ROWS = 20_000
const MANY = 100
const PARAMETERS = { objective: 'binary', num_leaves: 60, max_depth: 12, n_estimators: 100, learning_rate: 0.1, min_child_samples: 10 }

/** `npm run bench -- predict [CONNECTIONS] [SECONDS]` */
export async function run([connections = '10', seconds = '10']: string[]): Promise<object> {
  const mlflow = await listenMlflow()
  try {
    const booster = await train(rows(), PARAMETERS)
    await register(mlflow, booster)
    const began = performance.now()
    const api = await start(mlflow)
    const startSeconds = (performance.now() - began) / 1000
    try {
      const load = (body: unknown, warmupSeconds: number, forSeconds: number): Load => ({
        ...{ url: `${api.uri}/predict`, method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) },
        ...{ connections: Number(connections), warmupSeconds, seconds: forSeconds },
      })
      const single = await measure(load(ROW, 3, Number(seconds)))
      const many = await measure(load(Array(MANY).fill(ROW), 1, Number(seconds) / 2))
      return {
        ...{ trees: booster.treeCount, startSeconds, connections: Number(connections) },
        ...single,
        rowsPerRequest: MANY,
        rowsPerSecond: many.requestsPerSecond * MANY,
        manyRowsP99Milliseconds: many.p99Milliseconds,
      }
    } finally {
      await api.stop()
    }
  } finally {
    await mlflow.stop()
  }
}

/** Sessions with enough in them for 60 leaves a tree; the same at each run. */
function rows(): Dataset {
  let state = 40
  // The Lehmer generator: plain, and the same everywhere.
  const random = () => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
  const highest = { brand: 2, category: 2, sub_category: 1, hour: 23, minute: 59, weekday: 6, price: 2000, duration: 3600 }
  const columns = TRANSFORM_PIPELINE.features.map((name) => {
    const most = (highest as Record<string, number>)[name] ?? 50
    return Float64Array.from({ length: ROWS }, () => Math.floor(random() * (most + 1)))
  })
  const [price, duration] = ['price', 'duration'].map((name) => columns[TRANSFORM_PIPELINE.features.indexOf(name)] as Float64Array)
  const label = Float64Array.from({ length: ROWS }, (_, i) => ((duration?.[i] ?? 0) - (price?.[i] ?? 0) > 3000 * random() - 1000 ? 1 : 0))
  return { featureNames: TRANSFORM_PIPELINE.features, columns, label }
}

/** As the build of purchase_predict leaves its model: with its encoders, and rows that prove that it is served as it was trained. */
async function register({ uri, token }: ListeningMlflow, booster: Booster): Promise<void> {
  const client = new MlflowClient({ trackingUri: uri, token })
  const run = await client.startRun({ experimentId: await client.setExperiment('bench') })
  const inputs = booster.featureNames.map((name) => ({ name, type: 'double' as const }))
  const signature = { inputs, outputs: [{ type: 'tensor' as const, 'tensor-spec': { dtype: 'float64', shape: [-1] } }] }
  await run.logModel('model', lightgbmModel({ text: booster.toText(), signature, runId: run.id }))
  await run.logArtifact('transform_pipeline.json', JSON.stringify(TRANSFORM_PIPELINE))
  await run.logArtifact('serving_check.json', JSON.stringify({ rows: [], probabilities: [] }))
  await run.end()
  const { version } = await client.registerModel({ name: NAME, runId: run.id, path: 'model' })
  await client.transitionStage({ name: NAME, version, stage: 'Staging', archiveExisting: true })
}

async function start({ uri, readToken }: ListeningMlflow): Promise<{ uri: string; stop(): Promise<void> }> {
  const port = await freePort()
  const env = {
    ...process.env,
    ...{ PORT: String(port), ENV: 'staging', MLFLOW_TRACKING_URI: uri, MLFLOW_TRACKING_TOKEN: readToken, MLFLOW_REGISTRY_NAME: NAME },
  }
  const child = spawn(process.execPath, ['src/main.ts'], { cwd: API, env, stdio: ['ignore', 'pipe', 'inherit'] })
  const stop = async () => {
    if (child.exitCode !== null) return
    child.kill('SIGTERM')
    await once(child, 'exit')
  }
  for await (const line of createInterface({ input: child.stdout }))
    if (line.endsWith(`on port ${port}`)) return { uri: `http://127.0.0.1:${port}`, stop }
  throw new Error('The API ended before it served; its words are above.')
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  return port
}
