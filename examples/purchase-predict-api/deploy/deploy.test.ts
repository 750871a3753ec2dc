import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'

/** Runs deploy.sh beside a `gcloud` that only prints what it is told. */
async function deploy(variables: Record<string, string>): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'deploy-'))
  try {
    await writeFile(join(folder, 'gcloud'), '#!/bin/sh\nprintf "%s\\n" "$@"\n')
    await chmod(join(folder, 'gcloud'), 0o755)
    await writeFile(join(folder, 'deployment'), 'ENVIRONMENT=staging\nMODEL_NAME=purchase_predict\nMODEL_VERSION=7\n')
    const env = {
      PATH: `${folder}:${process.env.PATH}`,
      PROJECT_ID: 'shop',
      IMAGE: 'gcr.io/shop/purchase-predict-api:abc1234',
      ...variables,
    }
    const { stdout, stderr, status } = spawnSync('sh', [join(import.meta.dirname, 'deploy.sh')], { cwd: folder, env, encoding: 'utf8' })
    assert.equal(status, 0, stderr)
    return stdout.trim().split('\n')
  } finally {
    await rm(folder, { recursive: true })
  }
}

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
