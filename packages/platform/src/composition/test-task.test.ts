import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { TaskTest } from '../cli/host.ts'
import { readSettings } from '../settings.ts'
import { testTask } from './test-task.ts'

async function workshop(t: TestContext, text: string) {
  const home = await mkdtemp(join(tmpdir(), 'workshop-'))
  const dagsFolder = join(home, 'dags')
  await mkdir(dagsFolder)
  await writeFile(join(dagsFolder, 'd.ts'), text)
  t.after(() => rm(home, { recursive: true, force: true }))
  const lines: string[] = []
  const settings = { ...readSettings({ DAGGERBOARD_HOME: home }), home, dagsFolder }
  const run = (taskId: string, order: Partial<TaskTest> = {}) =>
    testTask(settings, {
      ...{ dagId: 'd', taskId, mapIndex: -1, logicalDate: null, conf: {}, environment: {}, rendersOnly: false, run: null, xcoms: [] },
      ...{ signal: new AbortController().signal, answers: { given: new Map(), ask: null } },
      onLine: (line) => lines.push(line),
      ...order,
    })
  return { run, lines }
}

test('of a mapped task a test runs the element that is named, and refuses to run it with none', async (t) => {
  const { run, lines } = await workshop(
    t,
    `import { bash, dag, partial } from '@daggerboard/dag'
    export default dag('d', { schedule: null }, ({ task, group }) => {
      task('says', partial(bash, {}), { expand: { command: ['echo first', 'echo second'] } })
      group('g', { expand: { n: [10, 20] } }, ({ task, element }) => void task('inner', ({ input }) => input.n, { input: { n: element.n } }))
      task('alone', () => 1)
    })`,
  )
  await assert.rejects(run('says'), { code: 'invalid', message: /"says" is mapped.*--map-index 0/ })
  await assert.rejects(run('says', { rendersOnly: true }), { code: 'invalid', message: /"says" is mapped/ })
  await assert.rejects(run('g.inner'), { code: 'invalid', message: /"g\.inner" is mapped/ })
  await assert.rejects(run('alone', { mapIndex: 0 }), { code: 'invalid', message: /"alone" is not mapped.*Leave --map-index out/ })
  assert.deepEqual(lines, [])
  assert.equal((await run('says', { mapIndex: 1 })).output, 'second', lines.join('\n'))
  assert.equal((await run('g.inner', { mapIndex: 1 })).output, 20)
  assert.equal((await run('alone')).output, 1)
})

test('a test shows neither secrets that the task was given nor fields whose names tell of one', async (t) => {
  const { run, lines } = await workshop(
    t,
    `import { dag } from '@daggerboard/dag'
    export default dag('d', { schedule: null }, ({ task }) => {
      task('a', async ({ connection, log }) => {
        const { password } = await connection('bank')
        log('it is ' + password)
        return { token: 'abc', rows: 3, deep: [{ url: 'https://ada:' + password + '@host' }] }
      })
      task('b', async ({ connection }) => (await connection('bank')).password)
    })`,
  )
  process.env.AIRFLOW_CONN_BANK = 'postgres://ada:hunter2-hunter2@host/db'
  t.after(() => delete process.env.AIRFLOW_CONN_BANK)
  assert.deepEqual((await run('a')).output, { token: '***', rows: 3, deep: [{ url: 'https://ada:***@host' }] }, lines.join('\n'))
  assert.equal((await run('b')).output, '***')
  assert.ok(lines.includes('[a] it is ***'), lines.join('\n'))
})
