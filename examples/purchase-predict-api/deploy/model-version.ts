/**
 * Finds what is to be deployed: the environment of the branch and the model version that has its stage now. Prints it as
 * lines for the shell. A revision is pinned to its version, so that a restart or a rollback never changes the model by itself.
 * Uses nothing that has to be installed.
 */

const STAGES: Readonly<Record<string, { environment: string; stage: string }>> = {
  staging: { environment: 'staging', stage: 'Staging' },
  master: { environment: 'production', stage: 'Production' },
}

interface LatestVersions {
  readonly model_versions?: readonly { readonly version: string }[]
  readonly message?: string
}

/** Throws when the branch has no environment, or its stage no model. */
export async function findDeployment(variables: NodeJS.ProcessEnv, get: typeof fetch = fetch): Promise<Record<string, string>> {
  const branch = variables.BRANCH_NAME ?? ''
  const target = Object.hasOwn(STAGES, branch) ? STAGES[branch] : undefined
  if (!target) throw new Error(`Branch "${branch}" has no environment: only staging and master are deployed.`)
  const server = variables.MLFLOW_SERVER || variables.MLFLOW_TRACKING_URI
  if (!server) throw new Error('MLFLOW_TRACKING_URI is not set. Set it, or give the substitution _MLFLOW_SERVER.')
  const name = variables.MLFLOW_REGISTRY_NAME ?? 'purchase_predict'
  const token = variables.MLFLOW_TRACKING_TOKEN
  const response = await get(`${server.replace(/\/+$/, '')}/api/2.0/mlflow/registered-models/get-latest-versions`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...(token && { Authorization: `Bearer ${token}` }) },
    body: JSON.stringify({ name, stages: [target.stage] }),
  })
  const answer = (await response.json()) as LatestVersions
  if (!response.ok && response.status !== 404) throw new Error(`MLflow at ${server} answered ${response.status}: ${answer.message ?? ''}`)
  const versions = (answer.model_versions ?? []).map(({ version }) => Number(version))
  if (versions.length === 0) {
    throw new Error(`No version of model "${name}" is in ${target.stage}. Build purchase_predict on branch ${branch} first: it trains one.`)
  }
  return { ENVIRONMENT: target.environment, MODEL_NAME: name, MODEL_VERSION: String(Math.max(...versions)) }
}

if (import.meta.main) {
  try {
    for (const [name, value] of Object.entries(await findDeployment(process.env))) console.log(`${name}=${value}`)
  } catch (error) {
    console.error((error as Error).message)
    process.exitCode = 1
  }
}
