import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { RunningPlatform } from './running-platform.ts'

let folder: string

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'daggerboard-input-'))
})

after(() => rm(folder, { recursive: true, force: true }))

/** Runs the demo to its end and answers what it said. */
async function demo(...args: string[]): Promise<{ status: number | null; said: string }> {
  const platform = await RunningPlatform.start(['demo', '--exit', ...args])
  try {
    await assert.rejects(platform.line(() => false))
    return { status: await platform.exit(), said: platform.output }
  } finally {
    await platform.remove()
  }
}

test('an event file with a wrong column ends the demo before anything runs, and says which column and what to do', async () => {
  const file = join(folder, 'events.csv')
  await writeFile(file, 'event_time,event_typ,product_id,category_id,category_code,brand,price,user_id,user_session\n')
  const { status, said } = await demo('--events', file, '--size', '0')
  assert.equal(status, 1)
  assert.match(said, /event_typ\b/)
  assert.match(said, /event_type/)
  assert.doesNotMatch(said, /DAG run/)
})

test('all wrong values of an event file are named with their lines', async () => {
  const header = 'event_time,event_type,product_id,category_id,category_code,brand,price,user_id,user_session'
  const good = '2019-10-01 00:00:00 UTC,view,1,2053013555631882655,electronics.smartphone,apple,10.5,7,b2f1d2a0-0000-4000-8000-000000000000'
  const file = join(folder, 'values.csv')
  await writeFile(file, [header, good, good.replace('10.5', 'cheap'), good.replace(',7,', ',seven,'), ''].join('\n'))
  const { status, said } = await demo('--events', file, '--size', '0')
  assert.equal(status, 1)
  assert.match(said, /line 3.*price|price.*line 3/i)
  assert.match(said, /line 4.*user_id|user_id.*line 4/i)
})

test('a file that is not there, an option that does not exist and a size that makes no sense are refused at once', async () => {
  for (const [args, expected, words] of [
    [['--rows', '/no/such/rows.csv'], 1, /no file "\/no\/such\/rows\.csv"/],
    [['--sise', '1000'], 2, /--sise/],
    [['--size', 'many'], 2, /--size "many": must be a whole number/],
  ] as const) {
    const { status, said } = await demo(...args)
    assert.equal(status, expected, said)
    assert.match(said, words)
  }
})

test('a DAG file that does not parse is an import error with its line, and the other DAGs are there', async () => {
  const dags = join(folder, 'dags')
  await mkdir(dags)
  await writeFile(
    join(dags, 'broken.ts'),
    "import { dag } from '@daggerboard/dag'\nexport default dag('broken', {}, ({ task }) => {\n  task('a', async () => {}\n})\n",
  )
  await writeFile(
    join(dags, 'fine.ts'),
    "import { dag } from '@daggerboard/dag'\nexport default dag('fine', {}, ({ task }) => {\n  task('a', async () => {})\n})\n",
  )
  const platform = await RunningPlatform.start(['start'], { environment: { DAGGERBOARD_DAGS_FOLDER: dags } })
  try {
    const client = await platform.client(await platform.endpoint())
    const { import_errors: errors } = await client.get<{ import_errors: { filename: string; stack_trace: string }[] }>(
      '/api/v2/importErrors',
    )
    assert.equal(errors.length, 1)
    assert.match(errors[0]?.filename ?? '', /broken\.ts$/)
    assert.match(errors[0]?.stack_trace ?? '', /broken\.ts:\d/)
    const { dags: known } = await client.get<{ dags: { dag_id: string }[] }>('/api/v2/dags')
    assert.deepEqual(
      known.map((dag) => dag.dag_id),
      ['fine'],
    )
  } finally {
    await platform.remove()
  }
})
