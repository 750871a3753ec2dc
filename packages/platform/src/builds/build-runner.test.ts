import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { SqliteBuildStore } from '../adapters/sqlite/build.ts'
import { Database } from '../adapters/sqlite/database.ts'
import { SqliteTriggerStore } from '../adapters/sqlite/trigger.ts'
import { AppError } from '../core/app-error.ts'
import { ManualClock } from '../core/clock.ts'
import { type DomainEvent, Events } from '../core/events.ts'
import { silentLogger } from '../core/logger.ts'
import type { Build, StepConfig } from './build.ts'
import type { BuildLog } from './build-log.ts'
import { BuildRunner } from './build-runner.ts'
import { Builds } from './builds.ts'
import type { StepContext, StepDriver } from './step-driver.ts'

/** Steps that run until the test ends them. */
class SteeredDriver implements StepDriver {
  readonly running = new Map<string, (exitCode: number) => void>()
  readonly pushed: string[] = []
  readonly recovered: string[] = []
  #watchers = new Set<() => void>()

  problemsOf = () => []
  prepare = async () => ({})
  release = async () => {}
  uploadArtifacts = async () => {}
  recover = async (build: Build) => void this.recovered.push(build.id)

  runStep(build: Build, index: number, _env: unknown, { signal }: StepContext) {
    const key = build.steps[index]?.id ?? String(index)
    return new Promise<{ exitCode: number; output: string }>((resolve, reject) => {
      this.running.set(key, (exitCode) => resolve({ exitCode, output: '' }))
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
      for (const watch of this.#watchers) watch()
    }).finally(() => this.running.delete(key))
  }

  async pushImage(_build: Build, image: string) {
    if (image.endsWith('missing')) throw new AppError('not_found', `There is no image "${image}".`)
    this.pushed.push(image)
    return 'sha256:1'
  }

  /** Ends the step `id` once it runs. */
  async end(id: string, exitCode = 0): Promise<void> {
    while (!this.running.has(id)) await new Promise<void>((resolve) => this.#watchers.add(resolve))
    this.running.get(id)?.(exitCode)
  }

  async runs(...ids: string[]): Promise<void> {
    while (!ids.every((id) => this.running.has(id))) await new Promise<void>((resolve) => this.#watchers.add(resolve))
  }
}

class MemoryLog implements BuildLog {
  readonly texts = new Map<string, string>()
  append = (id: string, text: string) => void this.texts.set(id, (this.texts.get(id) ?? '') + text)
  read = async (id: string, from: number) => Buffer.from(this.texts.get(id) ?? '').subarray(from)
  async *follow() {}
  flush = async () => {}
  close = async () => {}
}

const db = () => new Database(':memory:')
const asker = { projectId: 'shop', location: 'global', by: 'user:ada' }
const step = (id: string, more: Partial<StepConfig> = {}): StepConfig => ({ name: 'bash', id, ...more })

let clock: ManualClock
let driver: SteeredDriver
let log: MemoryLog
let store: SqliteBuildStore
let runner: BuildRunner
let builds: Builds
let told: DomainEvent[]

beforeEach(async () => {
  const database = db()
  clock = new ManualClock('2026-01-05T05:00:00Z')
  driver = new SteeredDriver()
  log = new MemoryLog()
  store = new SqliteBuildStore(database)
  const events = new Events(clock)
  told = []
  events.subscribe((event) => told.push(event))
  runner = new BuildRunner({
    store,
    driver,
    log,
    tokens: { issue: async () => 'token' },
    events,
    clock,
    logger: silentLogger,
    concurrency: 1,
  })
  const repositories = { refs: async () => null, findCommit: async () => null, readFile: async () => null, changedFiles: async () => [] }
  builds = new Builds({ store, triggers: new SqliteTriggerStore(database), runner, repositories, clock })
  await runner.start()
})

const create = (body: object, by = 'user:ada') => builds.create(body, { ...asker, by })

async function ended(id: string): Promise<Build> {
  await runner.finished(id)
  const build = await store.find(id)
  assert.ok(build)
  return build
}

const statuses = (build: Build) => Object.fromEntries(build.steps.map(({ id, status }) => [id, status]))

test('steps start when those they wait for are done: none, all before, or the ones they name', async () => {
  const { id } = await create({
    steps: [step('a'), step('b', { waitFor: ['-'] }), step('c', { waitFor: ['a'] }), step('d')],
  })
  await driver.runs('a', 'b')
  await driver.end('a')
  await driver.runs('b', 'c')
  assert.equal(driver.running.has('d'), false)
  await driver.end('c')
  await driver.end('b')
  await driver.end('d')
  assert.equal((await ended(id)).status, 'SUCCESS')
})

test('the first failure cancels the steps that run and leaves the rest queued', async () => {
  const { id } = await create({ steps: [step('a'), step('b', { waitFor: ['-'] }), step('c')] })
  await driver.runs('a', 'b')
  await driver.end('a', 7)
  const build = await ended(id)
  assert.equal(build.status, 'FAILURE')
  assert.deepEqual(statuses(build), { a: 'FAILURE', b: 'CANCELLED', c: 'QUEUED' })
})

test('a step that may fail lets the others go on, and the build succeed', async () => {
  const { id } = await create({ steps: [step('a', { allowFailure: true }), step('b', { allowExitCodes: [3] }), step('c')] })
  await driver.end('a', 1)
  await driver.end('b', 3)
  await driver.end('c')
  const build = await ended(id)
  assert.equal(build.status, 'SUCCESS')
  assert.deepEqual(statuses(build), { a: 'FAILURE', b: 'FAILURE', c: 'SUCCESS' })
})

test('a build ends as TIMEOUT when its time is over, a step when its own is', async () => {
  const whole = await create({ steps: [step('a')], timeout: '60s' })
  await driver.runs('a')
  clock.advance(60_000)
  assert.deepEqual([(await ended(whole.id)).status, statuses(await ended(whole.id))], ['TIMEOUT', { a: 'CANCELLED' }])
  const single = await create({ steps: [step('b', { timeout: '5s' })] })
  await driver.runs('b')
  clock.advance(5000)
  const build = await ended(single.id)
  assert.deepEqual(
    [build.status, statuses(build), build.statusDetail],
    ['TIMEOUT', { b: 'TIMEOUT' }, 'build step 0 "bash" timed out after 5s'],
  )
})

test('images are pushed after all steps; one that is missing fails the build', async () => {
  const { id } = await create({ steps: [step('a')], images: ['gcr.io/$PROJECT_ID/api'] })
  await driver.runs('a')
  assert.deepEqual(driver.pushed, [])
  await driver.end('a')
  const build = await ended(id)
  assert.deepEqual([build.status, build.results?.images], ['SUCCESS', [{ name: 'gcr.io/shop/api', digest: 'sha256:1' }]])
  const bad = await create({ steps: [step('a')], images: ['gcr.io/shop/missing'] })
  await driver.end('a')
  assert.deepEqual((await ended(bad.id)).failureInfo, {
    type: 'PUSH_FAILED',
    detail: 'Pushing gcr.io/shop/missing failed: There is no image "gcr.io/shop/missing".',
  })
})

test('builds wait for a place, but one that a running build has started does not', async () => {
  const parent = await create({ steps: [step('parent')] })
  const waiting = await create({ steps: [step('waiting')] })
  const child = await create({ steps: [step('child')] }, `build:${parent.id}`)
  await driver.runs('parent', 'child')
  assert.equal((await store.find(waiting.id))?.status, 'QUEUED')
  await driver.end('child')
  await ended(child.id)
  await driver.end('parent')
  await driver.end('waiting')
  assert.equal((await ended(waiting.id)).status, 'SUCCESS')
})

test('a build that starts itself again and again is refused', async () => {
  let by = 'user:ada'
  for (let depth = 0; depth <= 8; depth++) by = `build:${(await create({ steps: [step(`s${depth}`)] }, by)).id}`
  await assert.rejects(create({ steps: [step('one-more')] }, by), /nested 9 deep|nested 8 deep/)
})

test('a queued build can be cancelled, and expires when nobody starts it', async () => {
  await create({ steps: [step('a')] })
  await driver.runs('a')
  const cancelled = await create({ steps: [step('b')] })
  assert.equal((await builds.cancel('shop', cancelled.id)).status, 'CANCELLED')
  await assert.rejects(builds.cancel('shop', cancelled.id), /it is over \(CANCELLED\)/)
  const expired = await create({ steps: [step('c')], queueTtl: '10s' })
  clock.advance(15_000)
  assert.equal((await ended(expired.id)).status, 'EXPIRED')
})

test('after a restart, what ran ends as INTERNAL_ERROR with its leftovers gone, and what was queued runs', async () => {
  const ran = await create({ steps: [step('a')] })
  await driver.runs('a')
  const queued = await create({ steps: [step('b')] })
  const events = new Events(clock)
  const restarted = new BuildRunner({ store, driver, log, tokens: { issue: async () => 't' }, events, clock, logger: silentLogger })
  await restarted.start()
  const build = await store.find(ran.id)
  assert.deepEqual([build?.status, build?.steps[0]?.status, driver.recovered], ['INTERNAL_ERROR', 'INTERNAL_ERROR', [ran.id]])
  assert.match(build?.statusDetail ?? '', /went down while this build ran/)
  await driver.end('b')
  await restarted.finished(queued.id)
  assert.equal((await store.find(queued.id))?.status, 'SUCCESS')
})

test('a build runs, for whoever holds its token, from its turn to its last status', async () => {
  const first = await create({ steps: [step('a')] })
  const second = await create({ steps: [step('b')] })
  await driver.runs('a')
  assert.deepEqual([runner.isRunning(first.id), runner.isRunning(second.id)], [true, false])
  await driver.end('a')
  await ended(first.id)
  await driver.runs('b')
  assert.deepEqual([runner.isRunning(first.id), runner.isRunning(second.id)], [false, true])
})

test('stopping the platform ends its builds with the reason', async () => {
  const { id } = await create({ steps: [step('a')] })
  await driver.runs('a')
  await runner.stop()
  assert.match((await store.find(id))?.statusDetail ?? '', /The platform was stopped while this build ran/)
  await runner.stop()
})

test('every change of a build and its steps is told, by the subject who asked for it', async () => {
  const { id } = await create({ steps: [step('a')] }, 'task:pipeline/run/trigger#1')
  await driver.end('a')
  await ended(id)
  const changes = told.filter((event) => event.type === 'build.changed')
  assert.ok(changes.every(({ by }) => by === 'task:pipeline/run/trigger#1'))
  const seen = changes.map(({ facts }) => `${facts.status}/${facts.steps[0]?.status}`)
  assert.deepEqual([...new Set(seen)], ['QUEUED/QUEUED', 'WORKING/QUEUED', 'WORKING/WORKING', 'WORKING/SUCCESS', 'SUCCESS/SUCCESS'])
})
