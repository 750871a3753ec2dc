import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { BuildPlatform, PROJECT } from '../../../test/build-platform.ts'
import { ProcessStepDriver } from './step-driver.ts'

let platform: BuildPlatform

before(async () => {
  platform = await BuildPlatform.start()
})

after(() => platform.stop())

const sh = (script: string, more: object = {}) => ({ name: 'bash', entrypoint: 'sh', args: ['-c', script], ...more })

test('steps share /workspace, see their variables and write a log in the format of Cloud Build', async () => {
  const { build, log } = await platform.run({
    steps: [
      sh('echo "$$GREETING from $_NAME" > /workspace/greeting; echo one; echo two >&2', { id: 'write', env: ['GREETING=hello'] }),
      sh('cat greeting; pwd', { id: 'read', dir: '/workspace' }),
    ],
    substitutions: { _NAME: 'shop' },
  })
  assert.equal(build.status, 'SUCCESS')
  assert.match(log, new RegExp(`^starting build "${build.id}"\n\nFETCHSOURCE\nBUILD\nStarting Step #0 - "write"\n`))
  assert.match(log, /\nStep #0 - "write": one\n/)
  assert.match(log, /\nFinished Step #0 - "write"\nStarting Step #1 - "read"\n/)
  assert.match(log, /\nStep #1 - "read": hello from shop\n/)
  assert.match(log, /\nFinished Step #1 - "read"\nDONE\n$/)
  assert.deepEqual(Object.keys(build.timing ?? {}), ['FETCHSOURCE', 'BUILD'])
})

test('the lines of a lonely step have no prefix, a script runs with substitutions as variables, its output is kept', async () => {
  const { build, log } = await platform.run({
    steps: [{ name: 'bash', script: 'echo "name: $_NAME"\nprintf result > "$BUILDER_OUTPUT/output"', automapSubstitutions: true }],
    substitutions: { _NAME: 'shop' },
  })
  assert.match(log, /\nname: shop\nDONE\n$/)
  assert.equal(Buffer.from(build.results?.buildStepOutputs?.[0] ?? '', 'base64').toString(), 'result')
})

test('a step that exits with a status fails the build with Cloud Build’s words', async () => {
  const { build, log } = await platform.run({ steps: [sh('exit 3'), sh('echo never')] })
  assert.equal(build.status, 'FAILURE')
  assert.equal(build.statusDetail, 'Build step failure: build step 0 "bash" failed: step exited with non-zero status: 3')
  assert.deepEqual(build.failureInfo, { type: 'USER_BUILD_STEP', detail: build.statusDetail })
  assert.deepEqual(
    build.steps.map(({ status, exitCode }) => [status, exitCode]),
    [
      ['FAILURE', 3],
      ['QUEUED', undefined],
    ],
  )
  assert.match(log, /\nERROR\nERROR: Build step failure: /)
})

test('why a step failed is told in its own words, without the token, beside Cloud Build’s', async () => {
  const { build } = await platform.run({ steps: [sh('echo "Error: no rows for $$DAGGERBOARD_TOKEN" >&2; echo bye; exit 1')] })
  const words = 'Build step failure: build step 0 "bash" failed: step exited with non-zero status: 1'
  assert.equal(build.statusDetail, words)
  assert.deepEqual(build.failureInfo, { type: 'USER_BUILD_STEP', detail: `${words}: Error: no rows for ****` })
  const { facts } = await platform.statusReached(build.id, 'FAILURE')
  assert.equal(facts.detail, build.failureInfo?.detail)
})

test('a build that waits for another one fails with that one’s reason', async () => {
  const nested = 'steps: [{name: bash, entrypoint: sh, args: [-c, "echo The model is below the gate. >&2; exit 1"]}]'
  const { build } = await platform.run({
    steps: [sh(`echo '${nested}' > cloudbuild.yaml; gcloud builds submit --no-source --config cloudbuild.yaml`)],
  })
  assert.match(build.failureInfo?.detail ?? '', /status: 1: ERROR: \(gcloud\.builds\.submit\) .* status: 1: The model is below the gate\.$/)
})

test('the output of a step is a file that it wrote, not what a link or a pipe of its own leads to', async () => {
  const { build } = await platform.run({
    steps: [
      sh('ln -s /etc/passwd "$$BUILDER_OUTPUT/output"'),
      sh('mkfifo "$$BUILDER_OUTPUT/output"'),
      sh('printf mine > "$$BUILDER_OUTPUT/output"'),
    ],
  })
  const outputs = build.results?.buildStepOutputs?.map((output) => Buffer.from(output, 'base64').toString())
  assert.deepEqual([build.status, outputs], ['SUCCESS', ['', '', 'mine']])
})

test('a step does not run outside of the folders of its build', async () => {
  const { build } = await platform.run({ steps: [sh('true')] })
  const options = {
    directory: join(platform.home, 'builds'),
    cacheDirectory: platform.home,
    endpoint: () => platform.endpoint,
    projectId: PROJECT,
  }
  const driver = new ProcessStepDriver(options)
  const problemsIn = (dir: string, ofSource: string) =>
    driver.problemsOf({ ...build, source: { repoSource: { dir: ofSource } }, steps: [{ ...sh('true', { dir }), status: 'QUEUED' }] })
  for (const [dir, ofSource] of [
    ['/etc', ''],
    ['..', ''],
    ['', '../..'],
    ['../..', 'api'],
  ] as const)
    assert.match(problemsIn(dir, ofSource)[0] ?? '', /build step 0: the directory ".*" is not below \/workspace/)
  assert.deepEqual([...problemsIn('src', 'api'), ...problemsIn('/workspace/a', ''), ...problemsIn('/builder/home', '')], [])
})

test('a program that is not there is said so', async () => {
  const { build, log } = await platform.run({ steps: [{ name: 'bash', entrypoint: 'no-such-program' }] })
  assert.equal(build.steps[0]?.exitCode, 127)
  assert.match(log, /exec: "no-such-program": executable file not found in \$PATH/)
})

test('images that this machine cannot stand in for are refused, all at once, naming the driver that can', async () => {
  const { build } = await platform.run({
    steps: [{ name: 'gcr.io/shop/own-builder' }, { name: 'rust:1', volumes: [] }, sh('true', { secretEnv: ['KEY'] })],
  })
  assert.equal(build.status, 'FAILURE')
  assert.match(build.statusDetail ?? '', /build step 0: The image "gcr\.io\/shop\/own-builder" cannot be run by the process driver/)
  assert.match(build.statusDetail ?? '', /build step 1: .*container driver/)
  assert.match(build.statusDetail ?? '', /build step 2: secretEnv variables need the container driver/)
})

test('nothing of the server’s own environment reaches a step, and the token is masked in the log', async () => {
  process.env.DAGGERBOARD_TEST_SECRET = 'leak'
  const { build, log } = await platform.run({ steps: [sh('env | sort; echo token=$$DAGGERBOARD_TOKEN')] })
  delete process.env.DAGGERBOARD_TEST_SECRET
  assert.equal(build.status, 'SUCCESS')
  assert.doesNotMatch(log, /leak/)
  assert.match(log, /\ntoken=\*+\n/)
  assert.doesNotMatch(log, /eyJ/)
  assert.match(log, new RegExp(`\nGOOGLE_CLOUD_PROJECT=${PROJECT}\n`))
  assert.match(log, /\nHOME=.*\/builds\/.*\/home\n/)
})

test('a cancelled build takes all processes of its steps along', async () => {
  const asker = { projectId: PROJECT, location: 'global', by: 'user:ada' }
  const { id } = await platform.builds.create(
    { steps: [sh('(trap "" TERM; while :; do sleep 0.05; done) & echo started $!; wait')] },
    asker,
  )
  let log = ''
  for await (const chunk of platform.log.follow(id, 0, AbortSignal.timeout(10_000))) {
    log += Buffer.from(chunk).toString('utf8')
    if (/started \d+\n/.test(log)) break
  }
  const build = await platform.builds.cancel(PROJECT, id)
  assert.equal(build.status, 'CANCELLED')
  assert.equal(build.steps[0]?.status, 'CANCELLED')
  assert.equal(isRunning(Number(/started (\d+)/.exec(log)?.[1])), false)
})

test('what a platform that died left running of a build is found and ended', async () => {
  const { id } = await platform.builds.create(
    { steps: [sh('echo started; sleep 60')] },
    { projectId: PROJECT, location: 'global', by: 'user:ada' },
  )
  for await (const chunk of platform.log.follow(id, 0, AbortSignal.timeout(10_000))) if (Buffer.from(chunk).includes('started')) break
  const directory = join(platform.home, 'builds')
  const successor = new ProcessStepDriver({
    directory,
    cacheDirectory: platform.home,
    endpoint: () => platform.endpoint,
    projectId: PROJECT,
  })
  await successor.recover(await platform.builds.find(PROJECT, id))
  assert.equal((await platform.finished(id)).build.steps[0]?.exitCode, 137)
})

/** A zombie that nobody has collected yet runs no more. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

test('a step that takes too long ends as TIMEOUT, and so does its build', async () => {
  const { build } = await platform.run({ steps: [sh('sleep 30', { timeout: '0.3s' })] })
  assert.deepEqual([build.status, build.steps[0]?.status], ['TIMEOUT', 'TIMEOUT'])
  const whole = await platform.run({ steps: [sh('sleep 30')], timeout: '0.3s' })
  assert.deepEqual([whole.build.status, whole.build.steps[0]?.status], ['TIMEOUT', 'CANCELLED'])
})

test('the files of builds are kept for the latest ones only, their logs for all', async () => {
  for (let i = 0; i < 12; i++) await platform.run({ steps: [sh('true')] })
  const root = join(platform.home, 'builds')
  const builds = await readdir(root)
  assert.equal(builds.filter((id) => existsSync(join(root, id, 'workspace'))).length, 10)
  assert.equal(builds.filter((id) => existsSync(join(root, id, 'log.txt'))).length, builds.length)
})
