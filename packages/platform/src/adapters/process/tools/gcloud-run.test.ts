import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { type AppAnswer, answeringApp, RunningServices } from '../../../../test/running-services.ts'
import { runToolProcess } from '../../../../test/tool-process.ts'

const DEPLOY = resolve(import.meta.dirname, '../../../../../../examples/purchase-predict-api/deploy/deploy.sh')
const SERVICE = 'purchase-predict-api-staging'

let platform: RunningServices

before(async () => {
  platform = await RunningServices.start()
  await platform.push('v1', answeringApp('one'))
  await platform.push('v2', answeringApp('two'))
})

after(() => platform.stop())

/** Runs `gcloud run …` and answers what it said. */
async function gcloudRun(...argv: string[]): Promise<string> {
  const { status, stderr, stdout } = await runToolProcess(platform, ['gcloud', 'run', ...argv, '--region=us-central1'])
  assert.equal(status, 0, stderr)
  return stderr + stdout
}

const deploy = (tag: string, ...flags: string[]) => gcloudRun('deploy', 'api', `--image=gcr.io/shop/api:${tag}`, ...flags)

const ask = async (): Promise<AppAnswer> => (await (await platform.call('/services/api/')).json()) as AppAnswer

test('a deployment after a rollback says that the traffic is pinned, and the command that it names moves it', async () => {
  assert.match(await deploy('v1'), /is serving 100 percent of traffic\.\nService URL/)
  const { revision } = await ask()
  await deploy('v2')
  assert.match(await gcloudRun('services', 'update-traffic', 'api', `--to-revisions=${revision}=100`), new RegExp(`100% ${revision}`))
  assert.equal((await ask()).version, 'one')

  const said = await deploy('v2')
  assert.match(said, /is serving 0 percent of traffic/)
  assert.match(said, new RegExp(`WARNING: The traffic of service \\[api\\] is pinned \\(100% ${revision}\\)`))
  assert.equal((await ask()).version, 'one')

  const [, command = ''] = /^ {2}gcloud run (.+)$/m.exec(said) ?? []
  await gcloudRun(...command.replace(/ --region=\S+/, '').split(' '))
  assert.equal((await ask()).version, 'two')
  assert.match(await deploy('v1'), /is serving 100 percent of traffic\.\nService URL/)
  assert.equal((await ask()).version, 'one')
})

test('a deployment that asks for no traffic gets none, and says nothing of a pin that it has asked for', async () => {
  const before = await ask()
  const said = await deploy('v2', '--no-traffic')
  assert.match(said, /is serving 0 percent of traffic\.\nService URL/)
  assert.equal((await ask()).revision, before.revision)
})

test("the example's deployment serves its new revision, although somebody has rolled back before", async () => {
  const folder = join(platform.home, 'step')
  await mkdir(folder)
  await writeFile(join(folder, 'deployment'), 'ENVIRONMENT=staging\nMODEL_NAME=purchase_predict\nMODEL_VERSION=7\n')
  await writeFile(join(folder, 'gcloud'), `#!/bin/sh\nexec '${process.execPath}' '${join(import.meta.dirname, 'main.ts')}' gcloud "$@"\n`, {
    mode: 0o755,
  })
  const refresh = async (tag: string) => {
    const env = {
      PATH: `${folder}:${process.env.PATH}`,
      DAGGERBOARD_ENDPOINT: platform.endpoint,
      DAGGERBOARD_TOKEN: platform.token,
      ...{ PROJECT_ID: 'shop', IMAGE: `gcr.io/shop/api:${tag}` },
    }
    await promisify(execFile)('sh', [DEPLOY], { cwd: folder, env })
    return (await (await platform.call(`/services/${SERVICE}/`)).json()) as AppAnswer
  }
  const { revision } = await refresh('v1')
  await refresh('v2')
  await gcloudRun('services', 'update-traffic', SERVICE, `--to-revisions=${revision}=100`)
  assert.equal((await refresh('v2')).version, 'two')
})
