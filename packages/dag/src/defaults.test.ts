import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type Defaults, setDefaults } from './defaults.ts'
import { dag } from './index.ts'

function given(t: TestContext, defaults: Partial<Defaults>): void {
  setDefaults(defaults)
  t.after(() => setDefaults({}))
}

test('what a DAG and its tasks do not say is as the settings of the platform have it, and what they say stays', (t) => {
  given(t, { timezone: 'Europe/Paris', catchup: true, maxActiveRuns: 3, retries: 2, retryDelaySeconds: 7, executionTimeoutSeconds: 60 })
  const { document } = dag('silent', { maxActiveTasks: 5, startDate: '2026-07-01' }, ({ task }) => {
    task('plain', async () => {})
    task('own', async () => {}, { retries: 0, retryDelay: '1s' })
  })
  assert.deepEqual(
    [document.timezone, document.catchup, document.maxActiveRuns, document.maxActiveTasks, document.startDate],
    ['Europe/Paris', true, 3, 5, '2026-06-30T22:00:00.000Z'],
  )
  assert.deepEqual(
    document.tasks.map(({ retries, retryDelaySeconds, executionTimeoutSeconds }) => [retries, retryDelaySeconds, executionTimeoutSeconds]),
    [
      [2, 7, 60],
      [0, 1, 60],
    ],
  )
})

test('a cron text as a schedule fires at each tick and covers no time when the settings want no data intervals', (t) => {
  given(t, { cronIntervals: false })
  const { schedule } = dag('daily', { schedule: '@daily' }, () => {}).document
  assert.deepEqual(schedule, {
    kind: 'cronTrigger',
    expressions: ['0 0 * * *'],
    intervalSeconds: 0,
    runImmediately: false,
    text: '@daily',
  })
})
