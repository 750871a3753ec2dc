import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { Defer } from '@daggerboard/dag'
import { BuildPlatform, PROJECT } from '../../platform/test/build-platform.ts'
import { perform, TestContext } from '../test/task-context.ts'
import { createBuild } from './create-build.ts'
import { runBuildTrigger } from './run-build-trigger.ts'

const step = (script: string, id = '') => ({ name: 'bash', id, args: ['-c', script] })

describe('the operators of Cloud Build', () => {
  let platform: BuildPlatform
  let folder: string
  let token: string

  before(async () => {
    platform = await BuildPlatform.start()
    token = await platform.token()
    folder = await mkdtemp(join(tmpdir(), 'seed-'))
    await writeFile(
      join(folder, 'cloudbuild.yaml'),
      'steps:\n- name: bash\n  id: show\n  args: ["-c", "echo $BRANCH_NAME $_PRIMARY_FOLDER"]\n',
    )
    await platform.pushes.seedRepository({ name: 'model', directory: folder, branches: ['staging'], author: 'Ada <ada@example.com>' })
    const triggers = `${platform.endpoint}/v1/projects/${PROJECT}/triggers`
    await fetch(triggers, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        name: 'build-model-staging',
        triggerTemplate: { repoName: 'model', branchName: '^staging$' },
        filename: 'cloudbuild.yaml',
        substitutions: { _PRIMARY_FOLDER: '' },
      }),
    })
  })
  after(async () => {
    await platform.stop()
    await rm(folder, { recursive: true })
  })

  const context = (options: { tryNumber?: number; xcoms?: Map<string, unknown>; firstStartedAt?: Date } = {}) =>
    new TestContext({ endpoint: platform.endpoint, password: token, project: PROJECT, ...options })
  const build = (script: string, task: TestContext) => {
    const operator = createBuild({ build: { steps: [step(script, 'only')] } })
    return perform(operator, task)
  }

  it('run a trigger with a branch and substitutions, and tell each step', async () => {
    const operator = runBuildTrigger({
      trigger: 'build-model-staging',
      source: { branchName: 'staging', substitutions: { _PRIMARY_FOLDER: 'gs://shop-data/week/' } },
    })
    const task = context()
    const { id, status } = await perform(operator, task)
    assert.equal(status, 'SUCCESS')
    assert.match((await platform.finished(id)).log, /staging gs:\/\/shop-data\/week\//)
    assert.match(task.text, new RegExp(`Build ${id}: SUCCESS\n  Step show: SUCCESS`))
    assert.equal(await task.xcomPull('task', 'id'), id)
  })

  it('say which trigger does not exist', async () => {
    const operator = runBuildTrigger({ trigger: 'build-model-stagin', source: { branchName: 'staging' } })
    await assert.rejects(perform(operator, context()), /There is no trigger "build-model-stagin".*Did you mean "build-model-staging"\?/)
  })

  it('fail with what the build says of itself', async () => {
    await assert.rejects(build('exit 3', context()), /ended as FAILURE: .*non-zero status: 3/)
  })

  it('cancel the build when the task is cancelled', async () => {
    const task = context()
    const running = build('sleep 60', task)
    await task.logged(/Step only: WORKING/)
    task.controller.abort(new Error('cancelled by a person'))
    await assert.rejects(running, /cancelled by a person/)
    const id = String(await task.xcomPull('task', 'id'))
    assert.equal((await platform.finished(id)).build.status, 'CANCELLED')
  })

  it('join on a second try the build that the first one left running', async () => {
    const xcoms = new Map<string, unknown>()
    const operator = createBuild({ build: { steps: [step('sleep 2')] }, wait: false })
    const { id } = await operator.run(operator.args, context({ xcoms }))
    assert.equal((await build('exit 1', context({ xcoms, tryNumber: 2 }))).id, id)
    await assert.rejects(build('exit 1', context({ xcoms, tryNumber: 3 })), /FAILURE/, 'one that is over is not joined')
  })

  it('answer on a second try with the build that has succeeded since the first one was lost, unless the task has begun anew', async () => {
    const xcoms = new Map<string, unknown>()
    const firstStartedAt = new Date()
    const operator = createBuild({ build: { steps: [step('exit 0')] }, wait: false })
    const { id } = await operator.run(operator.args, context({ xcoms }))
    await platform.finished(id)
    assert.deepEqual(await build('exit 1', context({ xcoms, tryNumber: 2, firstStartedAt })).then((answer) => [answer.id, answer.status]), [
      id,
      'SUCCESS',
    ])
    assert.notEqual((await build('exit 0', context({ xcoms, tryNumber: 3 }))).id, id)
  })

  it('cancel what a lost try has left running, and nothing that is over', async () => {
    const xcoms = new Map<string, unknown>()
    const operator = createBuild({ build: { steps: [step('sleep 60')] }, wait: false })
    const { id } = await operator.run(operator.args, context({ xcoms }))
    await operator.cancel?.(operator.args, context({ xcoms }), null)
    assert.equal((await platform.finished(id)).build.status, 'CANCELLED')
    for (const known of [xcoms, new Map()]) {
      const task = context({ xcoms: known })
      await operator.cancel?.(operator.args, task, null)
      assert.equal(task.text, '')
    }
  })

  it('give the worker back while a build goes on, unless told not to', async () => {
    const waits: string[] = []
    const long = { build: { steps: [step('sleep 1')] } }
    await perform(createBuild(long), context(), () => waits.push('deferred'))
    await perform(createBuild({ ...long, deferrable: false }), context(), () => waits.push('not deferred'))
    assert.deepEqual(waits, ['deferred'])
  })

  it('start a build again that its service has broken off, and fail with what it says when that happens again and again', async () => {
    const operator = createBuild({ build: { steps: [step('sleep 1')] } })
    const task = context()
    const seen = { status: 'INTERNAL_ERROR', detail: 'The platform went down', logUrl: 'gs://logs' }
    const deferred = async (work: Promise<unknown> | undefined) => {
      const problem = await Promise.resolve(work).catch((error: unknown) => error)
      assert.ok(problem instanceof Defer && problem.wait.kind === 'trigger', String(problem))
      return problem.wait.args
    }
    const ids = new Set<unknown>()
    let wait = await deferred(operator.run(operator.args, task))
    for (let i = 0; i < 3; i++) {
      ids.add(await task.xcomPull('task', 'id'))
      wait = await deferred(operator.resume?.(operator.args, { value: { wait, seen } }, task))
    }
    assert.equal(ids.size, 3)
    assert.ok(operator.resume)
    await assert.rejects(operator.resume(operator.args, { value: { wait, seen } }, task), /INTERNAL_ERROR: The platform went down/)
  })
})
