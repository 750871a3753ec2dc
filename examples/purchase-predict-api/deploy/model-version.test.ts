import assert from 'node:assert/strict'
import test from 'node:test'
import { findDeployment } from './model-version.ts'

/** A registry whose stages hold these versions. */
const registry =
  (versions: Record<string, string[]>): typeof fetch =>
  async (_, init) => {
    const { stages } = JSON.parse(String(init?.body)) as { stages: [string] }
    return Response.json({ model_versions: (versions[stages[0]] ?? []).map((version) => ({ version })) })
  }
const variables = { BRANCH_NAME: 'master', MLFLOW_TRACKING_URI: 'http://mlflow/' }

test('master deploys the newest version in Production, staging the one in Staging', async () => {
  const versions = registry({ Production: ['9', '10'], Staging: ['11'] })
  assert.deepEqual(await findDeployment(variables, versions), {
    ENVIRONMENT: 'production',
    MODEL_NAME: 'purchase_predict',
    MODEL_VERSION: '10',
  })
  assert.equal((await findDeployment({ ...variables, BRANCH_NAME: 'staging' }, versions)).MODEL_VERSION, '11')
})

test('a stage without a model and a branch without an environment stop the build', async () => {
  await assert.rejects(
    findDeployment(variables, registry({})),
    /No version of model "purchase_predict" is in Production. Build purchase_predict on branch master first/,
  )
  await assert.rejects(findDeployment({ ...variables, BRANCH_NAME: 'try' }, registry({})), /Branch "try" has no environment/)
})
