/** What the first start puts in place: the connection to the embedded services, and the example project's repositories, triggers and files. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { system } from '../core/principal.ts'
import type { Pushes } from '../repositories/push.ts'
import type { ConnectionStore } from '../secrets/connection.ts'
import type { VariableStore } from '../secrets/variable.ts'
import { ROOT } from '../settings.ts'
import type { Ground } from './part.ts'
import { embeddedConnection } from './secrets.ts'

const EXAMPLES = join(ROOT, 'examples')
const AUTHOR = 'Daggerboard <daggerboard@localhost>'

const REPOSITORIES = [
  { name: 'purchase_predict', folder: 'purchase-predict' },
  { name: 'purchase_predict_api', folder: 'purchase-predict-api' },
]

const ENVIRONMENTS = [
  { branch: 'staging', environment: 'staging' },
  { branch: 'master', environment: 'production' },
]

export interface SeedOptions {
  readonly ground: Ground
  readonly pushes: Pushes
  readonly variables: VariableStore
  readonly connections: ConnectionStore
}

/** Puts in place what is missing and leaves alone what is there: whoever changed or deleted a part after the first start meant it. */
export async function seed({ ground, pushes, variables, connections }: SeedOptions): Promise<void> {
  const { settings, endpoint } = ground
  const embedded = embeddedConnection(settings)
  if (!(await connections.find(embedded.id))) await connections.save(embedded)
  if (!settings.loadExamples) return
  if (!(await variables.find('PROJECT_ID')))
    await variables.save({ key: 'PROJECT_ID', value: settings.project, description: 'Project of the example DAGs' })
  // The port may be another one at each start, and the server of the models is this platform until somebody names another.
  const server = await variables.find('MLFLOW_SERVER')
  if (!server || server.description === EMBEDDED_SERVER)
    await variables.save({ key: 'MLFLOW_SERVER', value: endpoint, description: EMBEDDED_SERVER })
  await seedWindFarm(ground, variables, connections)
  for (const { name, folder } of REPOSITORIES) {
    const isNew = await pushes.seedRepository({ name, directory: join(EXAMPLES, folder), branches: ['staging', 'master'], author: AUTHOR })
    if (isNew) await createTriggers(ground, name)
  }
  await uploadTransform(ground)
}

async function seedWindFarm({ home }: Ground, variables: VariableStore, connections: ConnectionStore): Promise<void> {
  if (!(await variables.find('WIND_FARM_FOLDER')))
    await variables.save({
      key: 'WIND_FARM_FOLDER',
      value: home.folder('wind-farm'),
      description: 'Folder of the wind farm of the example DAGs',
    })
  if (!(await connections.find('engie_hub')))
    await connections.save({
      ...{ id: 'engie_hub', type: 'http', host: null, port: null, schema: null, login: null, password: null },
      // `stand_in`: made-up measurements. Take it out, and give a host and the schema `https`, to reach a hub.
      extra: { stand_in: true },
      description: 'Measurements of the wind farm of the example DAGs: made up, until a host is given',
    })
}

const EMBEDDED_SERVER = 'MLflow of this platform; kept at its address'

async function createTriggers(ground: Ground, repoName: string): Promise<void> {
  for (const { branch, environment } of ENVIRONMENTS)
    await post(ground, `/v1/projects/${ground.settings.project}/triggers`, {
      name: `build-${repoName.replaceAll('_', '-')}-${environment}`,
      description: `A push to ${branch} of ${repoName}`,
      triggerTemplate: { repoName, branchName: `^${branch}$` },
      filename: 'cloudbuild.yaml',
    })
}

/** The transform goes to the bucket at each start, so that the DAG runs what the example project says now. */
async function uploadTransform(ground: Ground): Promise<void> {
  const { project } = ground.settings
  const bucket = `${project}-data`
  const exists = await send(ground, 'GET', `/storage/v1/b/${bucket}`)
  if (exists.status === 404) await post(ground, `/storage/v1/b?project=${project}`, { name: bucket })
  const sql = await readFile(join(EXAMPLES, 'purchase-predict/transform/create_events_data.sql'))
  const path = `/upload/storage/v1/b/${bucket}/o?uploadType=media&name=scripts/create_events_data.sql`
  await accepted(await send(ground, 'POST', path, sql, 'text/plain'), path)
}

const post = async (ground: Ground, path: string, body: object): Promise<void> =>
  accepted(await send(ground, 'POST', path, JSON.stringify(body), 'application/json'), path)

async function send(
  { endpoint, tokens, stopping }: Ground,
  method: string,
  path: string,
  body?: string | Uint8Array<ArrayBuffer>,
  type = '',
): Promise<Response> {
  const token = await tokens.issue(system, 60)
  const signal = AbortSignal.any([stopping, AbortSignal.timeout(30_000)])
  const headers = { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'content-type': type }) }
  return fetch(`${endpoint}${path}`, { method, headers, signal, ...(body === undefined ? {} : { body }) })
}

async function accepted(response: Response, path: string): Promise<void> {
  if (!response.ok) throw new Error(`The first start could not ${path}: ${response.status} ${await response.text()}`)
}
