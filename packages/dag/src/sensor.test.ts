import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualContext } from '../test/manual-context.ts'
import { refusal } from '../test/refusal.ts'
import { type DagBuilder, Defer, dag, FailTask, type Look, type Operator, Reschedule, type SensorOptions, SkipTask } from './index.ts'

const sensorOf = (look: () => Look<number>, options: SensorOptions = {}): Operator => {
  const { tasks } = dag('d', {}, ({ sensor }: DagBuilder) => void sensor('it', look, options))
  return tasks.get('it')?.work as Operator
}
const thrown = (promise: Promise<unknown>) =>
  promise.then(
    () => assert.fail('nothing was thrown'),
    (error) => error,
  )

test('a sensor that pokes looks again after each wait, and answers what it has found', async () => {
  let looks = 0
  const context = new ManualContext()
  const sensor = sensorOf(() => (++looks === 3 ? { done: true, value: 7 } : false), { mode: 'poke', pokeInterval: '10s' })
  assert.equal(await sensor.run({}, context), 7)
  assert.deepEqual(context.slept, [10_000, 10_000])
})

test('a sensor that reschedules gives its worker back, and its time counts from its first look', async () => {
  const sensor = sensorOf(() => false, { timeout: '1h' })
  const first = await thrown(sensor.run({}, new ManualContext()))
  assert.ok(first instanceof Reschedule)
  assert.equal(first.at.toISOString(), '2026-11-03T00:01:00.000Z')
  const late = new ManualContext({ now: () => new Date('2026-11-03T01:00:00Z'), rescheduleCount: 59 })
  assert.match(String(await thrown(sensor.run({}, late))), /FailTask: .*within its timeout of 3600 s/)
  const soft = sensorOf(() => false, { timeout: '1h', softFail: true })
  assert.ok((await thrown(soft.run({}, late))) instanceof SkipTask)
})

test('a sensor that is deferred looks once, and then from where many wait', async () => {
  let looks = 0
  const sensor = sensorOf(() => (++looks >= 3 ? { done: true, value: 7 } : { done: false }), { mode: 'deferred', timeout: '1h' })
  const deferred = await thrown(sensor.run({}, new ManualContext()))
  assert.ok(deferred instanceof Defer)
  assert.deepEqual([deferred.wait, deferred.timeoutSeconds], [{ kind: 'trigger', name: 'look', args: {} }, 3600])
  const waiting = new ManualContext()
  assert.equal(await sensor.triggers?.look?.({}, waiting), 7)
  assert.deepEqual(waiting.slept, [60_000, 60_000])
  assert.equal(await sensor.resume?.({}, { value: 7 }, waiting), 7)
  assert.match(
    String(await thrown(sensor.resume?.({}, { error: 'the network is gone' }, waiting) as Promise<unknown>)),
    /the network is gone/,
  )
  const late = new ManualContext({ now: () => new Date('2026-11-03T01:00:00Z') })
  assert.ok((await thrown(sensor.resume?.({}, { error: 'timeout' }, late) as Promise<unknown>)) instanceof FailTask)
})

test('waits that grow double, are spread by half again, are the same for the same look, and end at their cap', async () => {
  const waits = async () => {
    const context = new ManualContext()
    let looks = 0
    await sensorOf(() => ++looks === 6, { mode: 'poke', pokeInterval: '10s', exponentialBackoff: true, maxWait: '60s' }).run({}, context)
    return context.slept.map((ms) => ms / 1000)
  }
  const first = await waits()
  assert.deepEqual(await waits(), first)
  for (const [i, wait] of first.entries()) {
    const base = 10 * 2 ** i
    assert.ok(wait >= Math.min(base, 60) && wait <= Math.min(2 * base, 60), `${wait} after ${i + 1} looks`)
  }
})

test('what a sensor is becomes data, and what it cannot be is refused with its place', () => {
  const { document } = dag('d', {}, ({ sensor }) => {
    const found = sensor('file', async () => ({ done: true, value: 'path' }), { mode: 'deferred', softFail: true, retries: 2 })
    sensor('next', ({ input }) => input.path.length > 0, { input: { path: found } })
  })
  assert.equal(document.tasks[0]?.retries, 2)
  assert.deepEqual(document.tasks[0]?.sensor, {
    mode: 'deferred',
    pokeIntervalSeconds: 60,
    exponentialBackoff: false,
    maxWaitSeconds: null,
    timeoutSeconds: 604_800,
    softFail: true,
  })
  const message = refusal(() =>
    dag('d', {}, ({ sensor }) => void sensor('it', () => true, { timeout: 'soon' as '1s', mode: 'peek' as 'poke' })),
  )
  assert.match(message, /Task "it" \(sensor\.test\.ts:\d+\): timeout "soon" is not a length of time/)
  assert.match(message, /The mode "peek" is none of/)
})
