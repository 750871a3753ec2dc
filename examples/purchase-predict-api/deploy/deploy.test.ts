import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'

/** Runs deploy.sh beside a `gcloud` that only prints what it is told, and ends with `exitStatus`. Answers the calls and how it ended. */
async function run(variables: Record<string, string>, exitStatus = 0): Promise<{ calls: string[][]; status: number | null }> {
  const folder = await mkdtemp(join(tmpdir(), 'deploy-'))
  try {
    await writeFile(join(folder, 'gcloud'), `#!/bin/sh\nprintf '%s\\n' "$@"\necho\nexit ${exitStatus}\n`)
    await chmod(join(folder, 'gcloud'), 0o755)
    await writeFile(join(folder, 'deployment'), 'ENVIRONMENT=staging\nMODEL_NAME=purchase_predict\nMODEL_VERSION=7\n')
    const env = {
      PATH: `${folder}:${process.env.PATH}`,
      PROJECT_ID: 'shop',
      IMAGE: 'gcr.io/shop/purchase-predict-api:abc1234',
      ...variables,
    }
    const { stdout, status } = spawnSync('sh', [join(import.meta.dirname, 'deploy.sh')], { cwd: folder, env, encoding: 'utf8' })
    const calls = stdout.trim().split('\n\n')
    return { calls: calls.map((call) => call.split('\n')), status }
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** What `gcloud run deploy` is told. */
const deploy = async (variables: Record<string, string>): Promise<string[]> => (await run(variables)).calls[0] ?? []

test('a deployment pins the model version, as a label and for the server', async () => {
  const args = await deploy({})
  assert.deepEqual(args.slice(0, 3), ['run', 'deploy', 'purchase-predict-api-staging'])
  assert.ok(args.includes('--labels=environment=staging,model-version=7'))
  assert.ok(args.includes('--set-env-vars=ENV=staging,MLFLOW_REGISTRY_NAME=purchase_predict,MODEL_VERSION=7'))
})

test('an MLflow server that the build names goes on to the revision', async () => {
  const args = await deploy({ MLFLOW_SERVER: 'https://mlflow.example' })
  assert.ok(
    args.includes(
      '--set-env-vars=ENV=staging,MLFLOW_REGISTRY_NAME=purchase_predict,MODEL_VERSION=7,MLFLOW_TRACKING_URI=https://mlflow.example',
    ),
  )
})

test('the revision takes over the traffic, also where a rollback has pinned it; one that is not ready leaves it alone', async () => {
  const { calls, status } = await run({})
  assert.equal(status, 0)
  assert.deepEqual(calls[1], [
    ...['run', 'services', 'update-traffic', 'purchase-predict-api-staging', '--to-latest'],
    ...['--project=shop', '--region=us-central1', '--platform=managed', '--quiet'],
  ])
  const failed = await run({}, 1)
  assert.deepEqual([failed.calls.length, failed.status], [1, 1])
})
