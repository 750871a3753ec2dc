import assert from 'node:assert/strict'
import { test } from 'node:test'
import { refusal } from '../test/refusal.ts'
import { asset, assetAlias, dag, param, retryDecision, type Task } from './index.ts'

const nothing = async () => {}

test('all that may be said of a DAG is in its document, and its functions are found beside it', () => {
  const [told, late] = [() => {}, () => {}]
  const written = dag(
    'd',
    {
      docMd: '# What it does',
      maxConsecutiveFailedRuns: 3,
      runTimeout: '2h',
      failFast: true,
      tasksPerWorker: 20,
      isPausedUponCreation: false,
      params: { rows: param({ default: 100, type: 'integer', minimum: 1 }), day: param({ type: 'string' }), city: 'Rome' },
      deadlines: [
        { reference: 'queuedAt', interval: '1h', callback: late },
        { reference: 'logicalDate', interval: '-30m', callback: [late, told] },
        { reference: { at: '2026-11-02' }, interval: { minutes: 5 }, callback: late },
        { reference: { averageRuntime: 5, atLeast: 2 }, interval: '10m', callback: late },
      ],
      onSuccess: told,
      onFailure: [told, late],
      templateSearchPath: 'sql',
      rendersNative: true,
    },
    () => {},
  )
  const { document } = written
  assert.deepEqual(
    [document.docMd, document.maxConsecutiveFailedRuns, document.runTimeoutSeconds, document.failFast, document.tasksPerWorker],
    ['# What it does', 3, 7200, true, 20],
  )
  assert.deepEqual([document.isPausedUponCreation, document.templateSearchPath, document.rendersNative], [false, ['sql'], true])
  assert.deepEqual(document.params, { rows: 100, city: 'Rome' })
  assert.deepEqual(document.paramSchemas, { rows: { type: 'integer', minimum: 1 }, day: { type: 'string' } })
  assert.deepEqual(document.deadlines, [
    { reference: { kind: 'queuedAt' }, intervalSeconds: 3600 },
    { reference: { kind: 'logicalDate' }, intervalSeconds: -1800 },
    { reference: { kind: 'fixed', at: '2026-11-02T00:00:00.000Z' }, intervalSeconds: 300 },
    { reference: { kind: 'averageRuntime', runs: 5, atLeast: 2 }, intervalSeconds: 600 },
  ])
  assert.deepEqual(document.callbacks, { onSuccess: true, onFailure: true })
  assert.deepEqual(written.callbacks, { onSuccess: [told], onFailure: [told, late] })
  assert.deepEqual(written.deadlineCallbacks, [[late], [late, told], [late], [late]])
})

test('all that may be said of a task is in its document', () => {
  const told = () => {}
  const rows = asset('rows')
  const written = dag('d', { defaultArgs: { pool: 'small', onRetry: told } }, ({ task }) => {
    task('full', nothing, {
      docMd: 'Loads',
      waitForDownstream: true,
      ignoreFirstDependsOnPast: false,
      waitForPastDependsBeforeSkipping: true,
      poolSlots: 2,
      priorityWeight: 10,
      weightRule: 'absolute',
      maxActivePerDag: 3,
      maxActivePerRun: 1,
      onFailure: [told],
      inlets: [rows],
      outlets: [rows, assetAlias('late')],
      retryExponentialBackoff: 1.5,
    })
  })
  const [document] = written.document.tasks
  assert.deepEqual([document?.docMd, document?.dependsOnPast, document?.waitForDownstream], ['Loads', true, true])
  assert.deepEqual([document?.ignoreFirstDependsOnPast, document?.waitForPastDependsBeforeSkipping], [false, true])
  assert.deepEqual([document?.pool, document?.poolSlots, document?.priorityWeight, document?.weightRule], ['small', 2, 10, 'absolute'])
  assert.deepEqual([document?.maxActivePerDag, document?.maxActivePerRun, document?.retryBackoff], [3, 1, 1.5])
  assert.deepEqual(document?.callbacks, { onSuccess: false, onFailure: true, onRetry: true, onExecute: false, onSkipped: false })
  const reference = { asset: { name: 'rows', uri: 'rows', group: 'asset', extra: {} } }
  assert.deepEqual([document?.inlets, document?.outlets], [[reference], [reference, { alias: 'late' }]])
  assert.deepEqual(written.tasks.get('full')?.callbacks.onFailure, [told])
})

test('options that cannot be are refused, all at once', () => {
  const message = refusal(() =>
    dag(
      'd',
      {
        schedule: '@daily',
        failFast: true,
        runTimeout: 'long' as '1s',
        tasksPerWorker: 0,
        templateSearchPath: ['sql', '../secrets', '/etc'],
        params: { a: param({ type: 'text' }) },
        deadlines: [{ reference: 'never' as 'queuedAt', interval: 'soon' as '1s', callback: nothing }],
      },
      ({ task }) => {
        task('t', nothing, {
          pool: '',
          poolSlots: 0,
          priorityWeight: 1.5,
          weightRule: 'heavy' as 'absolute',
          maxActivePerDag: 0,
          triggerRule: 'all_done',
          outlets: ['rows' as never, asset('')],
          retryPolicy: [{ on: 7 as never, action: 'again' as 'retry', delay: 'soon' as '1s' }],
        })
      },
    ),
  )
  for (const part of [
    /runTimeout "long" is not a length of time/,
    /tasksPerWorker is 0/,
    /templateSearchPath "\.\.\/secrets" must be a folder below/,
    /templateSearchPath "\/etc" must be a folder below/,
    /the type "text" of param "a" is unknown/,
    /have no default for "a", so it cannot have a schedule/,
    /The reference of a deadline "never" is unknown/,
    /The interval of a deadline "soon" is not a length of time/,
    /failFast needs the trigger rule "all_success" everywhere, but task "t" has "all_done"/,
    /Task "t" \(dag-options\.test\.ts:\d+\): the pool "" must be the name of a pool/,
    /poolSlots is 0/,
    /priorityWeight is 1\.5; it must be a whole number\./,
    /the weight rule "heavy" is unknown\. They are downstream, upstream, absolute/,
    /maxActivePerDag is 0/,
    /one of its outlets is not an asset/,
    /Task "t".*: The asset "" must have a name/,
    /a rule of its retryPolicy has no error/,
    /the action "again" of its retryPolicy/,
    /the delay of its retryPolicy "soon"/,
  ]) {
    assert.match(message, part)
  }
})

test('the first rule of a retry policy that fits the error decides: by class, by name of the class, or by a question', () => {
  class Busy extends Error {
    readonly seconds = 7
  }
  class Broken extends Error {
    override readonly name = 'BrokenPipe'
  }
  const { tasks } = dag('d', {}, ({ task }) => {
    task('t', nothing, {
      retryPolicy: [
        { on: Busy, action: 'retry', delay: (error) => ({ seconds: (error as Busy).seconds }) },
        { on: 'BrokenPipe', action: 'retry', delay: '1m' },
        { on: (error) => /denied/.test(error.message), action: 'fail' },
        { on: TypeError, action: 'default' },
      ],
    })
  })
  const policy = (tasks.get('t') as Task).options.retryPolicy ?? []
  assert.deepEqual(retryDecision(policy, new Busy()), { action: 'retry', delaySeconds: 7 })
  assert.deepEqual(retryDecision(policy, new Broken()), { action: 'retry', delaySeconds: 60 })
  assert.deepEqual(retryDecision(policy, new Error('access denied')), { action: 'fail', delaySeconds: null })
  assert.deepEqual(retryDecision(policy, new TypeError('x')), { action: 'default', delaySeconds: null })
  assert.equal(retryDecision(policy, new RangeError('x')), null)
})

test('an option that nobody knows is refused with what was probably meant, also where nobody asks tsc', () => {
  const misspelt = { schedul: '@daily', catchup: 'yes', defaultArgs: { retires: 3 } } as never
  const message = refusal(() =>
    dag('d', misspelt, ({ task, group, sensor }) => {
      task('load', nothing, { dependOn: 'x' } as never)
      sensor('file', () => true, { mode: 'poke', pokeIntervall: '1s' } as never)
      group('all', { tooltp: 'x' } as never, () => {})
    }),
  )
  for (const [wrong, meant] of [
    ['schedul', 'schedule'],
    ['retires', 'retries'],
    ['dependOn', 'dependsOn'],
    ['pokeIntervall', 'pokeInterval'],
    ['tooltp', 'tooltip'],
  ])
    assert.ok(message.includes(`"${wrong}" is not an option. Did you mean "${meant}"?`), message)
  assert.match(message, /catchup is "yes"; it must be true or false/)
})
