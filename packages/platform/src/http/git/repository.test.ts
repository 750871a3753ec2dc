import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { BuildPlatform, PROJECT } from '../../../test/build-platform.ts'

const run = promisify(execFile)

let platform: BuildPlatform
let folder: string
let token: string

before(async () => {
  platform = await BuildPlatform.start()
  folder = await mkdtemp(join(tmpdir(), 'clones-'))
  token = await platform.token()
  const seed = join(folder, 'seed')
  await mkdir(join(seed, 'node_modules'), { recursive: true })
  await writeFile(
    join(seed, 'cloudbuild.yaml'),
    'steps:\n- name: bash\n  args: ["-c", "cat app.txt; echo $BRANCH_NAME $SHORT_SHA $REPO_NAME $TRIGGER_NAME"]\n',
  )
  await writeFile(join(seed, 'app.txt'), 'first\n')
  await writeFile(join(seed, 'node_modules', 'x.js'), '')
  await platform.pushes.seedRepository({ name: 'api', directory: seed, branches: ['staging', 'master'], author: 'Ada <ada@example.com>' })
  await platform.triggers.create({
    id: 'trigger-1',
    projectId: PROJECT,
    name: 'build-api-staging',
    triggerTemplate: { repoName: 'api', branchName: '^staging$' },
    filename: 'cloudbuild.yaml',
    createTime: new Date().toISOString(),
    createdBy: 'system',
  })
})

after(async () => {
  await platform.stop()
  await rm(folder, { recursive: true })
})

const url = (name: string, password = token) => `${platform.endpoint.replace('//', `//ada:${password}@`)}/p/${PROJECT}/r/${name}`

const git = async (args: string[], directory = folder): Promise<string> => {
  const env = { PATH: process.env.PATH, HOME: folder, GIT_TERMINAL_PROMPT: '0', GIT_CONFIG_NOSYSTEM: '1' }
  const { stdout, stderr } = await run('git', ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.com', ...args], { cwd: directory, env })
  return stdout + stderr
}

async function commit(clone: string, file: string, text: string): Promise<string> {
  await writeFile(join(clone, file), text)
  await git(['add', '.'], clone)
  await git(['commit', '-qm', `Change ${file}`], clone)
  return (await git(['rev-parse', 'HEAD'], clone)).trim()
}

const buildOf = (sha: string) => platform.buildTold(({ facts }) => facts.commitSha === sha && facts.finishedAt !== null)

test('a seeded repository has the same commit everywhere, on all its branches, and starts no build', async () => {
  const refs = await platform.repositories.refs('api')
  assert.deepEqual([...(refs?.keys() ?? [])], ['refs/heads/master', 'refs/heads/staging'])
  assert.equal(new Set(refs?.values()).size, 1)
  assert.equal(await platform.repositories.readFile('api', refs?.get('refs/heads/master') ?? '', 'node_modules/x.js'), null)
  assert.deepEqual(platform.told, [])
})

test('a push over HTTP starts the builds whose branch expression matches, as the one who pushed', async () => {
  const clone = join(folder, 'api')
  await git(['clone', '-q', '-b', 'staging', url('api'), clone])
  assert.equal(await readFile(join(clone, 'app.txt'), 'utf8'), 'first\n')
  const sha = await commit(clone, 'app.txt', 'second\n')
  await git(['push', '-q', 'origin', 'staging'], clone)
  const { facts, by } = await buildOf(sha)
  const { build, log } = await platform.finished(facts.buildId)
  assert.equal(build.status, 'SUCCESS', log)
  assert.equal(by, 'user:ada')
  assert.match(log, /\nHEAD is now at [0-9a-f]{7,} Change app\.txt\nGitCommit:\n[0-9a-f]{40}\n/)
  assert.match(log, new RegExp(`\nsecond\nstaging ${sha.slice(0, 7)} api build-api-staging\n`))
  assert.deepEqual([facts.repository, facts.branch, facts.trigger], ['api', 'staging', 'build-api-staging'])
})

test('a push to a branch that no trigger watches is told of and builds nothing', async () => {
  const clone = join(folder, 'quiet')
  await git(['clone', '-q', '-b', 'master', url('api'), clone])
  const sha = await commit(clone, 'quiet.txt', 'x')
  const before = (await platform.store.list({ limit: 100 })).length
  await git(['push', '-q', 'origin', 'master:feature/x'], clone)
  const pushed = platform.told.find((event) => event.type === 'repository.pushed' && event.facts.after === sha)
  assert.deepEqual(pushed?.facts, { repository: 'api', ref: 'refs/heads/feature/x', before: '0'.repeat(40), after: sha })
  assert.equal((await platform.store.list({ limit: 100 })).length, before)
})

test('a push with a bad build file is kept as a failed build that says why and where', async () => {
  const clone = join(folder, 'api')
  const sha = await commit(clone, 'cloudbuild.yaml', 'steps:\n- name: bash\n  argz: ["$HOME"]\n')
  await git(['push', '-q', 'origin', 'staging'], clone)
  const { facts } = await buildOf(sha)
  assert.equal(facts.status, 'FAILURE')
  assert.match(facts.detail ?? '', /cloudbuild\.yaml:3:3: "argz" is not a field of a step\. Did you mean "args"\?/)
  const again = await commit(clone, 'cloudbuild.yaml', 'steps:\n- name: bash\n  args:\n  - $HOME\n')
  await git(['push', '-q', 'origin', 'staging'], clone)
  assert.match(
    (await buildOf(again)).facts.detail ?? '',
    /cloudbuild\.yaml:4:5: key in the template "HOME" is not a valid built-in substitution/,
  )
})

test('pushes larger than git’s post buffer, and requests packed with gzip, go through', async () => {
  const clone = join(folder, 'large')
  await git(['clone', '-q', '-b', 'master', url('api'), clone])
  const large = Buffer.from(Array.from({ length: 3_000_000 }, () => Math.floor(Math.random() * 256)))
  await writeFile(join(clone, 'large.bin'), large)
  await git(['add', '.'], clone)
  await git(['commit', '-qm', 'Large'], clone)
  await git(['push', '-q', 'origin', 'HEAD:large'], clone)
  const refs = await platform.repositories.refs('api')
  assert.ok(refs?.has('refs/heads/large'))
  const body = gzipSync('0014command=ls-refs\n0000')
  const response = await fetch(`${platform.endpoint}/p/${PROJECT}/r/api/git-upload-pack`, {
    method: 'POST',
    body,
    headers: { authorization: `Bearer ${token}`, 'content-encoding': 'gzip', 'git-protocol': 'version=2' },
  })
  assert.match(await response.text(), /refs\/heads\/large/)
})

test('strangers are asked for a password, readers cannot push, and bad names do not reach the disk', async () => {
  const asked = await fetch(`${platform.endpoint}/p/${PROJECT}/r/api/info/refs?service=git-upload-pack`)
  assert.deepEqual([asked.status, asked.headers.get('www-authenticate')], [401, 'Basic realm="daggerboard"'])
  const reader = await platform.token('user:eve', ['repositories.read'])
  await assert.rejects(git(['push', '-q', url('api', reader), 'HEAD:refs/heads/eve'], join(folder, 'api')), /403/)
  const headers = { authorization: `Bearer ${token}` }
  const status = async (path: string) => (await fetch(`${platform.endpoint}${path}`, { headers })).status
  assert.equal(await status(`/p/${PROJECT}/r/${encodeURIComponent('../../etc')}/info/refs?service=git-upload-pack`), 400)
  assert.equal(await status(`/p/${PROJECT}/r/nothing/info/refs?service=git-upload-pack`), 404)
  assert.equal(await status(`/p/${PROJECT}/r/api/info/refs`), 403)
  assert.equal(await status(`/p/${PROJECT}/r/api/HEAD`), 404)
})

test('the Source Repositories API creates, shows and lists', async () => {
  const call = async (path: string, body?: object) => {
    const response = await fetch(`${platform.endpoint}/v1/projects/${PROJECT}/repos${path}`, {
      method: body ? 'POST' : 'GET',
      headers: { authorization: `Bearer ${token}` },
      ...(body ? { body: JSON.stringify(body) } : {}),
    })
    return { status: response.status, body: (await response.json()) as Record<string, unknown> }
  }
  const created = await call('', { name: `projects/${PROJECT}/repos/models` })
  assert.deepEqual(created.body, { name: `projects/${PROJECT}/repos/models`, url: `${platform.endpoint}/p/${PROJECT}/r/models` })
  assert.equal((await call('', { name: 'models' })).status, 409)
  assert.equal((await call('', { name: '../x' })).status, 400)
  assert.deepEqual((await call('/models')).body, created.body)
  assert.equal(((await call('')).body.repos as object[]).length, 2)
})

test('what a build clones with gcloud is what was pushed, and it cannot push', async () => {
  const { build, log } = await platform.run({
    steps: [
      {
        name: 'gcr.io/google.com/cloudsdktool/cloud-sdk',
        entrypoint: 'bash',
        args: [
          '-c',
          'gcloud source repos clone api copy --project=$PROJECT_ID && git --git-dir=copy/.git --work-tree=copy checkout -q master && cat copy/app.txt && cd copy && git push -q origin HEAD:stolen; echo status $?; grep -r eyJhbGci .git; echo $?',
        ],
      },
    ],
  })
  assert.match(log, /\nfirst\n/)
  assert.match(log, /403/)
  assert.match(log, /\nstatus 1(28)?\n1\n/)
  assert.equal(build.status, 'SUCCESS')
})
