import assert from 'node:assert/strict'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { RunningServices } from '../../../../test/running-services.ts'
import { runToolProcess } from '../../../../test/tool-process.ts'

const IMAGE = 'gcr.io/shop/hello'

let platform: RunningServices
let home: string
let project: string
let endpoint: string
let token: string

before(async () => {
  platform = await RunningServices.start()
  home = platform.home
  endpoint = platform.endpoint
  token = platform.token
  project = join(home, 'project')
  await write('server.mjs', SERVER)
  await write('package.json', '{"name":"hello","version":"1.0.0","type":"module"}')
  await write(
    'package-lock.json',
    '{"name":"hello","version":"1.0.0","lockfileVersion":3,"packages":{"":{"name":"hello","version":"1.0.0"}}}',
  )
  await write('src/words.json', '{"greeting":"hello"}')
  await write('.env', 'SECRET=1')
  await write('.dockerignore', '.env\n*.log\n')
  await write('Dockerfile', DOCKERFILE)
})

after(() => platform.stop())

const SERVER = `
import { createServer } from 'node:http'
import { existsSync, readFileSync } from 'node:fs'
const words = JSON.parse(readFileSync('src/words.json', 'utf8'))
const answer = { ...words, built: readFileSync('built.txt', 'utf8'), mode: process.env.MODE, hasSecret: existsSync('.env'), hasOld: existsSync('old.txt') }
createServer((_, response) => response.end(JSON.stringify(answer))).listen(process.env.PORT, '127.0.0.1')`

const DOCKERFILE = `ARG NODE=24
FROM node:\${NODE}-slim
ARG FLAVOUR=plain
ENV MODE=production \\
    WHERE=/app
WORKDIR $WHERE
COPY package*.json ./
RUN echo "installed" >> "$COUNTER" && echo old > old.txt
COPY . .
RUN rm old.txt && echo "$FLAVOUR" > built.txt
EXPOSE 8080
LABEL team="shop"
CMD ["node", "server.mjs"]
`

async function write(name: string, text: string): Promise<void> {
  await mkdir(join(project, name, '..'), { recursive: true })
  await writeFile(join(project, name), text)
}

const tool = (...argv: string[]) => runToolProcess(platform, argv, { directory: project, variables: { COUNTER: join(home, 'counter') } })

test('an image is built from a Dockerfile, pushed and deployed, and its server runs from its own files', async () => {
  const built = await tool('docker', 'build', '-t', `${IMAGE}:v1`, '--build-arg', 'FLAVOUR=salted', '.')
  assert.equal(built.status, 0, built.stderr)
  assert.match(built.stdout, /FROM node:24-slim[\s\S]*whose own files are not in the image/)
  assert.match(built.stdout, /Successfully tagged gcr\.io\/shop\/hello:v1/)
  const pushed = await tool('docker', 'push', `${IMAGE}:v1`)
  assert.match(pushed.stdout, /v1: digest: sha256:[0-9a-f]{64} size: \d+/, pushed.stderr)
  const deployed = await tool(
    ...['gcloud', 'run', 'deploy', 'hello', '--image', `${IMAGE}:v1`, '--region', 'us-central1', '--platform', 'managed'],
    ...[
      '--allow-unauthenticated',
      '--labels',
      'model-version=3',
      '--startup-probe',
      'httpGet.path=/,periodSeconds=1,failureThreshold=20',
      '--quiet',
    ],
  )
  assert.equal(deployed.status, 0, deployed.stderr)
  assert.match(deployed.stderr, /revision \[hello-00001-\w+\] has been deployed and is serving 100 percent of traffic/)
  const answer = await (await fetch(`${endpoint}/services/hello/`)).json()
  assert.deepEqual(answer, { greeting: 'hello', built: 'salted\n', mode: 'production', hasSecret: false, hasOld: false })
  const url = await tool('gcloud', 'run', 'services', 'describe', 'hello', '--region=us-central1', '--format=value(status.url)')
  assert.equal(url.stdout.trim(), `${endpoint}/services/hello`)
})

test('the image is a real one: its configuration, its base by name, and nothing sent twice', async () => {
  const manifest = (await (await registryGet('/v2/shop/hello/manifests/v1')).json()) as {
    config: { digest: string }
    annotations: Record<string, string>
  }
  assert.equal(manifest.annotations['dev.daggerboard.base'], 'node:24-slim')
  const { config } = (await (await registryGet(`/v2/shop/hello/blobs/${manifest.config.digest}`)).json()) as {
    config: Record<string, unknown>
  }
  assert.deepEqual(config.Cmd, ['node', 'server.mjs'])
  assert.deepEqual([config.WorkingDir, config.Env, config.ExposedPorts], ['/app', ['MODE=production', 'WHERE=/app'], { '8080/tcp': {} }])
  assert.deepEqual(config.Labels, { team: 'shop', 'dev.daggerboard.base': 'node:24-slim', 'dev.daggerboard.driver': 'process' })
  const again = await tool('docker', 'push', `${IMAGE}:v1`)
  assert.doesNotMatch(again.stdout, /Pushed/)
})

const registryGet = (path: string) => fetch(`${endpoint}${path}`, { headers: { authorization: `Bearer ${token}` } })

test('a step is run again only when what it is made of has changed, and the same files give the same image', async () => {
  const counted = async () => (await readFile(join(home, 'counter'), 'utf8')).trim().split('\n').length
  const before = await counted()
  const digest = (await tool('docker', 'build', '-q', '-t', `${IMAGE}:v2`, '--build-arg', 'FLAVOUR=salted', '.')).stdout.trim()
  assert.match(digest, /^sha256:/)
  assert.equal((await registryGet('/v2/shop/hello/manifests/v1')).headers.get('docker-content-digest'), digest)
  await write('src/words.json', '{"greeting":"servus"}')
  const changed = await tool('docker', 'build', '-t', `${IMAGE}:v2`, '--build-arg', 'FLAVOUR=salted', '.')
  assert.equal(changed.stdout.match(/Using cache/g)?.length, 3, 'the folder, the lock file and the installation are known')
  assert.equal(await counted(), before)
  await write('package-lock.json', '{"lockfileVersion":3}')
  await tool('docker', 'build', '-t', `${IMAGE}:v2`, '--build-arg', 'FLAVOUR=salted', '.')
  assert.equal(await counted(), before + 1, 'another lock file installs anew')
})

test('a command that fails stops the build at its line, with its output', async () => {
  await write('failing.Dockerfile', 'FROM scratch\nRUN echo about to fail && exit 7\n')
  const failed = await tool('docker', 'build', '-f', 'failing.Dockerfile', '.')
  assert.equal(failed.status, 1)
  assert.match(failed.stdout, /about to fail/)
  assert.match(failed.stderr, /failing\.Dockerfile:2: .*exit status 7/)
})

test('what the process driver cannot do is refused, all at once and by line', async () => {
  await write(
    'big.Dockerfile',
    'FROM a AS one\nHEALTHCHECK NONE\nFROM b\nCOPY --from=one x y\nADD https://x/y z\nRUN --mount=type=secret,id=s true\n',
  )
  const refused = await tool('docker', 'build', '-f', 'big.Dockerfile', '.')
  assert.notEqual(refused.status, 0)
  for (const line of [2, 3, 4, 5, 6]) assert.match(refused.stderr, new RegExp(`big\\.Dockerfile:${line}: `))
  assert.match(refused.stderr, /container driver/)
  assert.match((await tool('docker', 'run', 'x')).stderr, /"docker run x" is not supported.*container driver/)
  assert.match((await tool('docker', 'push', 'ubuntu')).stderr, /docker\.io, which the process driver does not reach/)
  assert.match((await tool('kubectl', 'apply', '-f', 'x.yaml')).stderr, /no Kubernetes cluster is connected/)
})

test('images are tagged, listed and pulled', async () => {
  assert.equal((await tool('docker', 'tag', `${IMAGE}:v1`, `${IMAGE}:latest`)).status, 0)
  assert.equal((await tool('docker', 'push', IMAGE)).status, 0)
  assert.match((await tool('docker', 'images')).stdout, /gcr\.io\/shop\/hello:latest {2}[0-9a-f]{12}/)
  const pulled = await tool('docker', 'pull', `${IMAGE}:latest`)
  assert.match(pulled.stdout, /Digest: sha256:/, pulled.stderr)
  assert.match((await tool('docker', 'push', `${IMAGE}:v9`)).stderr, /Build it first, or pull it\. Did you mean/)
})
