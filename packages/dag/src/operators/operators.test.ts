import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualContext } from '../../test/manual-context.ts'
import { refusal } from '../../test/refusal.ts'
import {
  approval,
  bash,
  branchTo,
  Defer,
  dag,
  externalTask,
  FailTask,
  goOn,
  humanBranch,
  humanInput,
  type Operator,
  param,
  SkipTask,
  skipAfter,
  timeDeltaSensor,
  timeSensor,
  triggerDag,
  waitUntil,
} from '../index.ts'

// biome-ignore lint/suspicious/noExplicitAny: operators of all kinds.
type Any = Operator<any, any>
const run = (operator: Any, context = new ManualContext()) => operator.run(operator.args, context)
const resume = async (operator: Any, event: { value: unknown } | { error: string }, context = new ManualContext()) =>
  operator.resume?.(operator.args, event, context)
const thrown = (promise: Promise<unknown>) =>
  promise.then(
    () => assert.fail('nothing was thrown'),
    (error) => error,
  )
async function deferred(operator: Any, context = new ManualContext()): Promise<Defer> {
  const error = await thrown(run(operator, context))
  assert.ok(error instanceof Defer, String(error))
  return error
}

test('bash logs what its command prints, answers the last line, and has its own environment', async () => {
  const context = new ManualContext()
  assert.equal(
    await run(bash({ command: 'echo one; echo "oops" >&2; printf "$WHOM"', env: { WHOM: 'Ada; exit 3' } }), context),
    'Ada; exit 3',
  )
  assert.deepEqual(context.lines.toSorted(), ['Ada; exit 3', 'one', 'oops'])
  assert.match(String(await thrown(run(bash({ command: 'exit 3' })))), /The command ended with 3/)
  assert.ok((await thrown(run(bash({ command: 'exit 99' })))) instanceof SkipTask)
  assert.ok((await thrown(run(bash({ command: 'true', cwd: '/no/such/folder' })))) instanceof FailTask)
})

test('a cancelled command is told to end', async () => {
  const context = new ManualContext()
  const ended = thrown(run(bash({ command: 'echo begun; exec sleep 1000' }), context))
  while (context.lines.length === 0) await new Promise(setImmediate)
  context.cancel()
  assert.match(String(await ended), /ended with SIGTERM/)
})

test('waiting for a time holds no worker: until an instant, a time of the day in the zone of the DAG, or so long after the interval', async () => {
  const paris = new ManualContext({ timezone: 'Europe/Paris' })
  assert.deepEqual((await deferred(waitUntil({ at: '2026-11-03T05:00' }), paris)).wait, { kind: 'time', at: '2026-11-03T04:00:00.000Z' })
  assert.deepEqual((await deferred(timeSensor({ time: '14:30' }), paris)).wait, { kind: 'time', at: '2026-11-03T13:30:00.000Z' })
  assert.deepEqual((await deferred(timeDeltaSensor({ delta: '2h' }))).wait, { kind: 'time', at: '2026-11-03T02:00:00.000Z' })
  assert.equal(await run(waitUntil({ at: new Date('2026-11-01') })), '2026-11-01T00:00:00.000Z')
  assert.equal(await resume(timeSensor({ time: '14:30' }), { value: null }), '2026-11-03T00:00:00.000Z')
  assert.match(String(await thrown(run(waitUntil({ at: 'soon' })))), /FailTask: waitUntil is given "soon"/)
  assert.match(
    refusal(() => timeSensor({ time: '25:00' })),
    /\(operators\.test\.ts:\d+\)\. The time "25:00" is not a time of the day/,
  )
})

test('a run of another DAG is started once, whoever is lost meanwhile, and waited for without a worker', async () => {
  const operator = triggerDag({ dagId: 'other', conf: { n: 1 }, wait: true, pollInterval: '10s', timeout: '1h' })
  const context = new ManualContext()
  const first = await deferred(operator, context)
  assert.equal(first.timeoutSeconds, 3600)
  const [started] = context.runs
  assert.deepEqual(first.wait, { kind: 'trigger', name: 'ended', args: { dagId: 'other', runId: started?.runId } })
  assert.match(started?.runId ?? '', /^[\w.~:+-]{1,250}$/)
  const second = new ManualContext({ tryNumber: 2, meanwhile: () => Object.assign(second.runs[0] as object, { state: 'success' }) })
  second.runs.push(...context.runs)
  for (const [key, value] of context.xcoms) second.xcoms.set(key, value)
  await deferred(operator, second)
  assert.equal(second.runs.length, 1)
  const ended = await operator.triggers?.ended?.({ dagId: 'other', runId: started?.runId }, second)
  assert.deepEqual(second.slept, [10_000])
  assert.equal(await resume(operator, { value: ended }), ended)
  assert.match(String(await thrown(resume(operator, { value: { ...started, state: 'failed' } }))), /Run ".*" of DAG "other" has failed/)
})

test('a run that is there already fails the task, skips it or is run again, as it is told', async () => {
  const withRun = () => {
    const context = new ManualContext()
    context.runs.push({ dagId: 'other', runId: 'mine', state: 'success', logicalDate: '2026-11-02T00:00:00.000Z' })
    return context
  }
  const logicalDate = new Date('2026-11-02')
  assert.match(
    String(await thrown(run(triggerDag({ dagId: 'other', runId: 'mine' }), withRun()))),
    /FailTask: DAG "other" has the run "mine" already/,
  )
  assert.ok((await thrown(run(triggerDag({ dagId: 'other', logicalDate, skipWhenAlreadyExists: true }), withRun()))) instanceof SkipTask)
  assert.equal((await run(triggerDag({ dagId: 'other', logicalDate, resetDagRun: true }), withRun())).runId, 'mine')
  const rendered = triggerDag({ dagId: 'other', logicalDate: '2026-11-02 00:00:00+00:00' })
  assert.match(String(await thrown(run(rendered, withRun()))), /has the run "mine" already/)
  assert.match(String(await thrown(run(triggerDag({ dagId: 'other', logicalDate: 'soon' })))), /FailTask: .*"soon", which is not a date/)
})

test('what a mapped task triggers, and what a long line of triggered runs triggers, has an id that a run may have', async () => {
  const triggered = async (idempotencyKey: string) =>
    (await run(triggerDag({ dagId: 'other' }), new ManualContext({ idempotencyKey }))).runId
  assert.equal(await triggered('shop/r1/each[2]'), 'triggered__shop__r1__each~2__1793664000000__1')
  let runId = 'manual__2026-11-02T00:00:00+00:00'
  const seen = new Set<string>()
  for (let i = 0; i < 20; i++) {
    runId = await triggered(`a_dag_that_triggers_itself/${runId}/again[${i}]`)
    assert.match(runId, /^[A-Za-z0-9_.~:+-]{1,250}$/)
    seen.add(runId)
  }
  const long = `a_dag_that_triggers_itself/${runId}/`
  for (const task of ['one', 'other', 'each[0]', 'each[1]']) seen.add(await triggered(`${long}${task}`))
  assert.equal(seen.size, 24)
})

test('a run, tasks or a group of another DAG are waited for by its logical date', async () => {
  const context = new ManualContext({ firstStartedAt: new Date('2026-11-03T00:00:00Z') })
  context.runs.push({
    dagId: 'other',
    runId: 'r',
    logicalDate: '2026-11-01T23:00:00.000Z',
    state: 'failed',
    tasks: { a: 'success', b: 'skipped', 'g.x': 'success', 'g.y': 'failed' },
  })
  const other = { dagId: 'other', logicalDateDelta: '1h' } as const
  assert.equal(await run(externalTask({ ...other, taskIds: 'a' }), context), null)
  assert.equal(await run(externalTask({ ...other, taskIds: ['a', 'b'], allowedStates: ['success', 'skipped'] }), context), null)
  assert.equal(
    await run(externalTask({ dagId: 'other', taskIds: 'a', logicalDateOf: (date) => new Date(date.getTime() - 3_600_000) }), context),
    null,
  )
  assert.match(
    String(await thrown(run(externalTask({ ...other, failedStates: ['failed'] }), context))),
    /FailTask: The run of DAG "other" for 2026-11-01T23:00:00.000Z is failed/,
  )
  assert.match(
    String(await thrown(run(externalTask({ ...other, taskGroup: 'g', failedStates: ['failed'] }), context))),
    /Task "g\.y" of DAG "other"/,
  )
  assert.ok((await thrown(run(externalTask({ ...other, taskIds: 'b', skippedStates: ['skipped'] }), context))) instanceof SkipTask)
  for (const waits of [
    externalTask(other),
    externalTask({ ...other, taskIds: ['a', 'missing'] }),
    externalTask({ dagId: 'other', taskIds: 'a' }),
  ]) {
    assert.deepEqual((await deferred(waits, context)).wait, { kind: 'trigger', name: 'look', args: waits.args })
  }
  assert.match(
    refusal(() => externalTask({ dagId: 'other', taskIds: [], taskGroup: 'g', failedStates: ['success'] })),
    /taskIds and a taskGroup[^§]*taskIds are empty[^§]*"success" is named twice/,
  )
})

test('waiting for what does not exist fails at once, where it is asked for', async () => {
  const context = new ManualContext()
  context.runs.push({ dagId: 'other', runId: 'r', logicalDate: null, state: 'running', tasks: { a: 'running', 'g.x': 'running' } })
  const looks = (options: object) => thrown(run(externalTask({ dagId: 'other', checkExistence: true, ...options }), context)).then(String)
  assert.match(await looks({ dagId: 'nowhere' }), /There is no DAG "nowhere" to wait for/)
  assert.match(await looks({ taskIds: ['a', 'b'] }), /DAG "other" has no task "b" to wait for/)
  assert.match(await looks({ taskGroup: 'h' }), /DAG "other" has no group "h" to wait for/)
  for (const there of [{}, { taskIds: 'a' }, { taskGroup: 'g' }, { dagId: 'nowhere', checkExistence: false }])
    await deferred(externalTask({ dagId: 'other', checkExistence: true, ...there }), context)
})

test('a human is asked, and what he answers decides', async () => {
  const ask = humanInput({
    subject: 'How many?',
    options: ['few', 'many'],
    params: { n: param({ default: 1, type: 'integer' }) },
    assignees: 'ada',
    timeout: '1d',
  })
  const asked = await deferred(ask)
  assert.equal(asked.timeoutSeconds, 86_400)
  assert.deepEqual(asked.wait, {
    kind: 'input',
    request: {
      subject: 'How many?',
      body: null,
      options: ['few', 'many'],
      defaults: null,
      multiple: false,
      assignees: ['ada'],
      params: { n: 1 },
      paramSchemas: { n: { type: 'integer' } },
    },
  })
  const answer = (chosen: string) => ({ chosen: [chosen], paramsInput: {}, respondedBy: 'ada', respondedAt: '2026-11-03T00:00:00Z' })
  assert.deepEqual(await resume(ask, { value: answer('few') }), answer('few'))
  assert.match(String(await thrown(resume(ask, { error: 'Nobody has answered within 1 d.' }))), /FailTask: Nobody has answered/)

  const may = approval({ subject: 'Deploy?', defaults: 'Reject' })
  assert.deepEqual(await resume(may, { value: answer('Approve') }), goOn(answer('Approve')))
  assert.deepEqual(await resume(may, { value: answer('Reject') }), skipAfter(answer('Reject')))
  const byDefault = { chosen: ['Reject'], paramsInput: {}, respondedBy: null, respondedAt: null }
  assert.deepEqual(await resume(may, { error: 'timeout' }), skipAfter(byDefault))
  assert.match(
    String(await thrown(resume(approval({ subject: 'Deploy?', failOnReject: true }), { value: answer('Reject') }))),
    /FailTask: ada has chosen "Reject"/,
  )

  const where = humanBranch({ subject: 'Where to?', follow: { staging: 'deploy_staging', both: ['deploy_staging', 'deploy_production'] } })
  assert.deepEqual(where.args.options, ['staging', 'both'])
  assert.deepEqual(await resume(where, { value: answer('both') }), branchTo('deploy_staging', 'deploy_production'))
  assert.match(
    refusal(() => humanInput({ subject: 'x', options: ['a', 'a'], defaults: ['a', 'c'] })),
    /one of them twice[^§]*Its default "c" is none of the options a, a[^§]*only one may be chosen/,
  )
})

test('they become tasks like any operator', () => {
  const { document } = dag('d', {}, ({ task }) => {
    const asked = task('ask', humanInput({ subject: 'How many on {{ ds }}?' }))
    task('count', ({ input }) => input.answer.chosen.length, { input: { answer: asked } })
    const may = task('may', approval({ subject: 'Deploy?' }))
    task('told', ({ input }) => input.by.respondedBy, { input: { by: may } })
    task('wait', externalTask({ dagId: 'other', timeout: '1h' }))
  })
  assert.deepEqual(
    document.tasks.map(({ operator, flow, sensor }) => [operator, flow, sensor?.mode]),
    [
      ['HumanInput', 'none', undefined],
      ['function', 'none', undefined],
      ['Approval', 'shortCircuit', undefined],
      ['function', 'none', undefined],
      ['ExternalTask', 'none', 'deferred'],
    ],
  )
})
