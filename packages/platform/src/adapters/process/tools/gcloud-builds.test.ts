import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { BuildPlatform, PROJECT } from '../../../../test/build-platform.ts'

let platform: BuildPlatform
let source: string

/** A build whose only step calls the tools. */
const calling = (script: string, more: object = {}) => ({
  steps: [{ name: 'gcr.io/google.com/cloudsdktool/cloud-sdk', entrypoint: 'bash', args: ['-c', script], ...more }],
})

before(async () => {
  platform = await BuildPlatform.start({ concurrency: 1 })
  source = await mkdtemp(join(tmpdir(), 'source-'))
  await mkdir(join(source, 'node_modules'))
  await Promise.all([
    writeFile(join(source, '.gitignore'), 'node_modules/\n*.log\n!kept.log\n'),
    writeFile(join(source, 'node_modules', 'big.js'), ''),
    writeFile(join(source, 'noise.log'), ''),
    writeFile(join(source, 'kept.log'), 'kept'),
    writeFile(join(source, 'app.txt'), 'the app\n'),
    writeFile(
      join(source, 'cloudbuild.yaml'),
      'steps:\n- name: bash\n  args: ["-c", "ls -A; cat app.txt; echo sha $SHORT_SHA; exit $_STATUS"]\nsubstitutions:\n  _STATUS: "0"\n',
    ),
    writeFile(join(source, 'slow.yaml'), 'steps:\n- name: bash\n  args: ["-c", "echo waiting; sleep 60"]\n'),
    writeFile(join(source, 'wrong.yaml'), 'steps:\n- name: bash\n  argz: [x]\n'),
  ])
})

after(async () => {
  await platform.stop()
  await rm(source, { recursive: true })
})

test('a step submits a build, shows its log and waits for it, although only one build may run at once', async () => {
  const { build, log } = await platform.run(
    calling(`gcloud builds submit --config ${source}/cloudbuild.yaml ${source} --substitutions=SHORT_SHA=abc1234`),
  )
  assert.equal(build.status, 'SUCCESS', log)
  assert.match(log, /REMOTE BUILD OUTPUT/)
  assert.match(log, /\nthe app\n/)
  assert.match(log, /\nsha abc1234\n/)
  assert.match(log, /\napp\.txt\n/)
  assert.match(log, /\nkept\.log\n/)
  assert.doesNotMatch(log, /node_modules|noise\.log/)
  const [child] = await platform.store.list({ limit: 1 })
  assert.equal(child?.createdBy, `build:${build.id}`)
  assert.match(child?.source?.storageSource?.object ?? '', /^source\/[\d.]+-[0-9a-f]{32}\.tgz$/)
  assert.ok(child?.sourceProvenance?.resolvedStorageSource?.generation)
})

test('a build that fails makes the step that waits for it fail', async () => {
  const { build, log } = await platform.run(calling(`gcloud builds submit --substitutions=_STATUS=4,SHORT_SHA=x ${source}`))
  assert.equal(build.status, 'FAILURE')
  assert.equal(build.steps[0]?.exitCode, 1)
  assert.match(log, /completed with status "FAILURE": Build step failure: .* non-zero status: 4/)
})

test('cancelling the build that waits cancels the one it waits for', async () => {
  const asker = { projectId: PROJECT, location: 'global', by: 'user:ada' }
  const parent = await platform.builds.create(calling(`gcloud builds submit --config ${source}/slow.yaml ${source}`), asker)
  const child = await platform.buildTold(({ by, facts }) => by === `build:${parent.id}` && facts.steps[0]?.status === 'WORKING')
  assert.equal((await platform.builds.cancel(PROJECT, parent.id)).status, 'CANCELLED')
  assert.equal((await platform.finished(child.facts.buildId)).build.status, 'CANCELLED')
})

test('--async does not wait, and a wrong file is refused with its line before anything is uploaded', async () => {
  const { log } = await platform.run(
    calling(
      `gcloud builds submit --async --no-source --config ${source}/slow.yaml --format='value(id,status)'; gcloud builds submit --config ${source}/wrong.yaml ${source}; echo status $?`,
    ),
  )
  const child = /([0-9a-f-]{36})\t(?:QUEUED|WORKING)/.exec(log)?.[1] ?? ''
  await platform.builds.cancel(PROJECT, child)
  assert.match(log, /wrong\.yaml:3:3: "argz" is not a field of a step\. Did you mean "args"\?/)
  assert.match(log, /\nstatus 1\n/)
})

test('a log is an object of the bucket while it grows and afterwards', async () => {
  const { build, log } = await platform.run(
    calling(`gsutil cat gs://${PROJECT}_cloudbuild/log-$BUILD_ID.txt | head -1; gcloud builds log $BUILD_ID | head -1`),
  )
  assert.equal(log.match(new RegExp(`^starting build "${build.id}"$`, 'gm'))?.length, 3)
  const token = await platform.token()
  const object = await fetch(`${platform.endpoint}/storage/v1/b/${PROJECT}_cloudbuild/o/log-${build.id}.txt?alt=media`, {
    headers: { authorization: `Bearer ${token}` },
  })
  assert.equal(await object.text(), log)
})

test('files go to buckets and back: cp, wildcards, rsync, ls, cat', async () => {
  const { build, log } = await platform.run(
    calling(`set -e
mkdir -p data/deep; echo a > data/a.txt; echo b > data/b.csv; echo c > data/deep/c.txt
gsutil -m cp data/*.txt gs://${PROJECT}_cloudbuild/x/
gsutil cp -r data gs://${PROJECT}_cloudbuild/x
gcloud storage ls gs://${PROJECT}_cloudbuild/x/
gsutil cat gs://${PROJECT}_cloudbuild/x/data/deep/c.txt
gsutil rsync -r gs://${PROJECT}_cloudbuild/x/data copy; ls copy copy/deep
gsutil cp 'gs://${PROJECT}_cloudbuild/x/data/*.csv' . && cat b.csv
gsutil cp gs://${PROJECT}_cloudbuild/x/a.txt one.txt && cat one.txt`),
  )
  assert.equal(build.status, 'SUCCESS', log)
  for (const line of [`gs://${PROJECT}_cloudbuild/x/a.txt`, `gs://${PROJECT}_cloudbuild/x/data/`, 'c', 'c.txt', 'b', 'a'])
    assert.ok(log.split('\n').includes(line), line)
})

test('what is not supported is refused by name, with what would do it', async () => {
  const { log } = await platform.run(
    calling(
      'gcloud compute instances list; echo status $?; gcloud builds submit --pack image=x; gcloud config get-value project; gcloud auth print-access-token',
    ),
  )
  assert.match(
    log,
    /ERROR: \(gcloud\.compute\.instances\) "gcloud compute instances list" is not supported by the process driver's own gcloud/,
  )
  assert.match(log, /container driver and the real gcloud, or on Google Cloud Build/)
  assert.match(log, /\nstatus 2\n/)
  assert.match(log, /--pack is not supported/)
  assert.match(log, new RegExp(`\n${PROJECT}\n\\*+\n`))
})
