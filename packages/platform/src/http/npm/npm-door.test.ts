import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { Tokens } from '../../accounts/token.ts'
import { TypescriptLibraryStore } from '../../adapters/typescript/library.ts'
import { systemClock } from '../../core/clock.ts'
import { BUILD_PERMISSIONS, principal } from '../../core/principal.ts'
import { Libraries } from '../../libraries/library.ts'
import { authentication } from '../authentication.ts'
import type { DoorEnvironment } from '../door.ts'
import { npmDoor } from './npm-door.ts'

const run = promisify(execFile)
const workspaces = resolve(import.meta.dirname, '../../../..')
const folder = await mkdtemp(join(tmpdir(), 'daggerboard-npm-'))
const libraries = new Libraries({ store: new TypescriptLibraryStore({ workspaces, folder: join(folder, 'libraries') }) })
const tokens = new Tokens(randomBytes(32), systemClock)
const byToken = (token: string) => tokens.verify(token)
const app = new Hono<DoorEnvironment>()
app.use(authentication({ byToken, byPassword: byToken }))
app.route('/', npmDoor({ libraries }))
const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' })
let registry: string
let token: string

before(async () => {
  await new Promise((done) => (server.listening ? done(null) : server.once('listening', done)))
  registry = `127.0.0.1:${(server.address() as AddressInfo).port}/npm/`
  token = await tokens.issue(principal('build:test', BUILD_PERMISSIONS), 3600)
})

after(async () => {
  await libraries.stop()
  await new Promise((done) => {
    server.close(done)
    if ('closeAllConnections' in server) server.closeAllConnections()
  })
  await rm(folder, { recursive: true, force: true })
})

const get = (path: string, credentials: string | null = token) =>
  fetch(`http://${registry}${path}`, credentials ? { headers: { Authorization: `Bearer ${credentials}` } } : {})

test('every library that is not private is served, and a build has the same bytes each time', async () => {
  for (const name of ['boost', 'dag', 'google', 'mlflow', 'pipeline']) assert.equal((await get(`@daggerboard%2f${name}`)).status, 200, name)
  const again = new TypescriptLibraryStore({ workspaces, folder: join(folder, 'again') })
  const packument = (await (await get('@daggerboard/mlflow')).json()) as { versions: Record<string, { dist: { integrity: string } }> }
  assert.equal((await again.find('@daggerboard/mlflow'))?.integrity, packument.versions['0.1.0']?.dist.integrity)
})

test('what is served is JavaScript with its types, and commands are executable JavaScript', async () => {
  const { manifest } = await libraries.get('@daggerboard/pipeline')
  assert.deepEqual(manifest.exports, { '.': { types: './dist/index.d.ts', default: './dist/index.js' } })
  assert.deepEqual(manifest.bin, { pipeline: './dist/cli.js' })
  assert.deepEqual(manifest.files, ['dist'])
  assert.ok((manifest.dependencies as Record<string, string>).yaml)
})

test('the platform, the pages and unknown packages are not here, and the answer says what is', async () => {
  for (const name of ['daggerboard', '@daggerboard%2fweb', '@daggerboard%2fboots', 'left-pad']) {
    const response = await get(name)
    assert.equal(response.status, 404, name)
    assert.match(((await response.json()) as { error: string }).error, /has no package.*@daggerboard\/boost/)
  }
  assert.match(((await (await get('@daggerboard/boots')).json()) as { error: string }).error, /Did you mean "@daggerboard\/boost"/)
  assert.equal((await get('@daggerboard/mlflow/-/mlflow-9.9.9.tgz')).status, 404)
  assert.equal((await get('%zz')).status, 400)
  assert.equal((await get('@daggerboard/mlflow', null)).status, 401)
})

test('npm ci installs the libraries from a lock file without their addresses, and Node runs them under node_modules', async () => {
  const project = await mkdtemp(join(folder, 'project-'))
  const npmrc = join(project, 'npmrc')
  await writeFile(npmrc, `@daggerboard:registry=http://${registry}\n//${registry}:_authToken=${token}\n`)
  const dependencies = { '@daggerboard/boost': '0.1.0', '@daggerboard/mlflow': '0.1.0' }
  const root = { name: 'project', version: '1.0.0', dependencies }
  const installed = (name: string) => [
    `node_modules/@daggerboard/${name}`,
    { version: '0.1.0', license: 'Apache-2.0', engines: { node: '>=24' } },
  ]
  await writeFile(join(project, 'package.json'), JSON.stringify({ ...root, type: 'module' }))
  await writeFile(
    join(project, 'package-lock.json'),
    JSON.stringify({
      name: 'project',
      version: '1.0.0',
      lockfileVersion: 3,
      requires: true,
      packages: Object.fromEntries([['', root], installed('boost'), installed('mlflow')]),
    }),
  )
  const env = {
    ...process.env,
    NPM_CONFIG_USERCONFIG: npmrc,
    npm_config_cache: join(project, 'cache'),
    npm_config_update_notifier: 'false',
  }
  await run('npm', ['ci', '--no-audit', '--no-fund'], { cwd: project, env })
  await writeFile(
    join(project, 'main.js'),
    `import * as boost from '@daggerboard/boost'
     import { lightgbmModel, MlflowClient } from '@daggerboard/mlflow'
     console.log(typeof MlflowClient, lightgbmModel({ text: 'tree', signature: { inputs: [], outputs: [] } }).size, Object.keys(boost).length > 0)`,
  )
  const { stdout } = await run(process.execPath, ['main.js'], { cwd: project })
  assert.equal(stdout.trim(), 'function 5 true')

  // The declarations must satisfy a compiler that knows nothing of our sources.
  await writeFile(
    join(project, 'typed.ts'),
    `import { MlflowClient, type Version } from '@daggerboard/mlflow'
     export const version: Promise<Version | null> = new MlflowClient({ trackingUri: 'http://x' }).latestVersion('a', 'Staging')
     // @ts-expect-error: names are texts
     new MlflowClient().latestVersion(7, 'Staging')`,
  )
  const tsc = join(workspaces, '../node_modules/typescript/bin/tsc')
  const types = ['--typeRoots', join(workspaces, '../node_modules/@types'), '--types', 'node']
  const flags = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'esnext', ...types]
  await run(process.execPath, [tsc, ...flags, 'typed.ts'], { cwd: project }).catch((error: { stdout: string }) => assert.fail(error.stdout))
})

test('a command of a library runs from node_modules/.bin', async () => {
  const project = await mkdtemp(join(folder, 'command-'))
  const npmrc = join(project, 'npmrc')
  await writeFile(npmrc, `@daggerboard:registry=http://${registry}\n//${registry}:_authToken=${token}\n`)
  await writeFile(join(project, 'package.json'), JSON.stringify({ name: 'command', type: 'module' }))
  const env = { ...process.env, NPM_CONFIG_USERCONFIG: npmrc, npm_config_update_notifier: 'false' }
  await run('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', '@daggerboard/pipeline'], { cwd: project, env })
  const command = join(project, 'node_modules/.bin/pipeline')
  await access(command, 1)
  assert.match(await readFile(command, 'utf8'), /^#!\/usr\/bin\/env node/)
  const { stdout, stderr } = await run(command, ['--help'], { cwd: project }).catch((error: { stdout: string; stderr: string }) => error)
  assert.match(stdout + stderr, /pipeline/)
  assert.doesNotMatch(stdout + stderr, /ERR_|Stripping types/)
})
