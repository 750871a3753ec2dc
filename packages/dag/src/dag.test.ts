import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chain, type Dag, DagDefinitionError, dag, type Operator } from './index.ts'

const createCluster = (args: { clusterName: string }): Operator<{ clusterName: string }, { uuid: string }> => ({
  name: 'DataprocCreateCluster',
  args,
  run: async () => ({ uuid: '1' }),
})

const refused = (write: () => Dag): string => {
  try {
    write()
  } catch (error) {
    assert.ok(error instanceof DagDefinitionError)
    return error.message
  }
  throw new Error('the DAG was not refused')
}

test('a DAG is written as operators and edges and becomes plain data', () => {
  const { document } = dag(
    'pipeline_ml_staging',
    {
      schedule: '0 5 * * 1',
      startDate: '2019-10-07',
      defaultArgs: { owner: 'ml', retries: 1, retryDelay: '10m', executionTimeout: { hours: 1 } },
      tags: ['ml'],
    },
    ({ task }) => {
      const create = task('create_dataproc', createCluster({ clusterName: 'c-{{ ds_nodash }}' }))
      const submit = task('submit_job', createCluster({ clusterName: 'c' }), { retries: 0 })
      const remove = task('delete_dataproc', createCluster({ clusterName: 'c' }), { triggerRule: 'all_done' })
      const build = task('trigger_ml_build', async ({ log }) => log('built'))
      chain(create, submit, [remove, build])
    },
  )
  assert.deepEqual(JSON.parse(JSON.stringify(document)), document)
  assert.deepEqual(document.schedule, { kind: 'cron', expression: '0 5 * * 1', interval: true, text: '0 5 * * 1' })
  assert.equal(document.startDate, '2019-10-07T00:00:00.000Z')
  assert.deepEqual(
    document.tasks.map((task) => [task.taskId, task.upstream, task.downstream, task.triggerRule, task.retries]),
    [
      ['create_dataproc', [], ['submit_job'], 'all_success', 1],
      ['submit_job', ['create_dataproc'], ['delete_dataproc', 'trigger_ml_build'], 'all_success', 0],
      ['delete_dataproc', ['submit_job'], [], 'all_done', 1],
      ['trigger_ml_build', ['submit_job'], [], 'all_success', 1],
    ],
  )
  const [create] = document.tasks
  assert.deepEqual(create?.args, { clusterName: 'c-{{ ds_nodash }}' })
  assert.equal(create?.retryDelaySeconds, 600)
  assert.equal(create?.executionTimeoutSeconds, 3600)
})

test('passing an output draws the edge, and tsc checks that it fits', () => {
  const { document } = dag('sums', {}, ({ task }) => {
    const rows = task('extract', async () => [1, 2, 3])
    const total = task('total', async ({ input }) => input.rows.reduce((a, b) => a + b, 0) * input.factor, { input: { rows, factor: 2 } })
    // @ts-expect-error: `total` is a number, not a text.
    task('print', async ({ input }: { input: { text: string } }) => input.text.toUpperCase(), { input: { text: total } })
  })
  assert.deepEqual(document.tasks[1]?.upstream, ['extract'])
  assert.deepEqual(document.tasks[1]?.input, { rows: { task: 'extract' }, factor: { value: 2 } })
})

test('an output arrives as JSON keeps it, and tsc knows: a date is a text, and plain data is what it was', () => {
  interface Row {
    readonly at: Date
    readonly tags?: readonly ('a' | 'b')[]
    readonly pair: readonly [number, string | null]
  }
  dag('d', {}, ({ task }) => {
    const rows = task('rows', async (): Promise<Row[]> => [])
    const arrived = async (row: { at: string; tags?: readonly ('a' | 'b')[]; pair: readonly [number, string | null] }) => row.at
    task('all', async ({ input }) => Promise.all(input.rows.map(arrived)), { input: { rows } })
    task('each', async ({ input }) => arrived(input.row), { expand: { row: rows } })
    // @ts-expect-error: `at` arrives as a text.
    task('year', async ({ input }) => input.rows.map(({ at }) => at.getFullYear()), { input: { rows } })
    // @ts-expect-error: so it does in each instance of a mapped task.
    task('years', async ({ input }: { input: { row: Row } }) => input.row.at, { expand: { row: rows } })
    const counts = task('counts', async () => new Map([['a', 1]]))
    // @ts-expect-error: of a map nothing arrives.
    task('sum', async ({ input }) => input.counts.get('a'), { input: { counts } })
    const any = task('any', async () => JSON.parse('1') as unknown)
    task('unknown', async ({ input }: { input: { any: unknown } }) => input.any, { input: { any } })
  })
})

test('all that is wrong with a DAG is said at once, with its place and its mend', () => {
  const message = refused(() =>
    dag('daily', { schedule: '@dayly', timezone: 'Europe/Pariss', maxActiveRuns: 0 }, ({ task }) => {
      task('fetch-data', async () => 1)
      task('fetch-data', async () => 2)
      task('train', async () => 3, {
        dependsOn: 'fetch_data',
        retryDelay: '10 minutes' as '10m',
        triggerRule: 'all_sucess' as 'all_success',
      })
    }),
  )
  for (const part of [
    /^DAG "daily" cannot be read \(dag\.test\.ts:\d+\)\.\n/,
    /Task "fetch-data" is defined twice \(dag\.test\.ts:\d+\) and again \(dag\.test\.ts:\d+\)/,
    /Task "train" of DAG "daily" depends on "fetch_data", which is not defined \(dag\.test\.ts:\d+\)\. Did you mean "fetch-data"\?/,
    /"@dayly" is not a preset\. Did you mean "@daily"\?/,
    /"Europe\/Pariss" is unknown/,
    /maxActiveRuns is 0/,
    /retryDelay "10 minutes" is not a length of time/,
    /"all_sucess" is unknown\. Did you mean "all_success"\?/,
  ]) {
    assert.match(message, part)
  }
})

test('a circle is refused by naming its tasks and their places', () => {
  const message = refused(() =>
    dag('round', {}, ({ task }) => {
      const a = task('a', async () => {})
      const b = task('b', async () => {}).after(a)
      const c = task('c', async () => {}).after(b)
      a.after(c)
    }),
  )
  assert.match(
    message,
    /The tasks go in a circle: a → b → c → a\. They are a \(dag\.test\.ts:\d+\), b \(dag\.test\.ts:\d+\), c \(dag\.test\.ts:\d+\)\. Remove one/,
  )
})

test('a task of another DAG cannot be joined', () => {
  let stray: ReturnType<Parameters<Parameters<typeof dag>[2]>[0]['task']> | undefined
  dag('one', {}, ({ task }) => {
    stray = task('stray', async () => 1)
  })
  const message = refused(() => dag('two', {}, ({ task }) => void task('own', async () => 2).after(stray as NonNullable<typeof stray>)))
  assert.match(message, /Task "own".* is joined to task "stray".*, which is not of this DAG/)
})

test('dates without an offset are read in the zone of the DAG, also around a change of the clocks', () => {
  const start = (startDate: string, timezone: string) => dag('d', { startDate, timezone }, () => {}).document.startDate
  assert.equal(start('2024-07-01', 'Europe/Paris'), '2024-06-30T22:00:00.000Z')
  assert.equal(start('2024-01-01T05:00:00', 'Europe/Paris'), '2024-01-01T04:00:00.000Z')
  assert.equal(start('2024-03-31T02:30', 'Europe/Paris'), '2024-03-31T01:30:00.000Z')
  assert.equal(start('2024-11-03T01:30', 'America/New_York'), '2024-11-03T06:30:00.000Z')
  assert.equal(start('2024-07-01T00:00:00+02:00', 'America/New_York'), '2024-06-30T22:00:00.000Z')
  assert.match(
    refused(() => dag('d', { startDate: '2024-02-31' }, () => {})),
    /"2024-02-31" is not a date/,
  )
})
