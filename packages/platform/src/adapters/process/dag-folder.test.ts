import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, symlink, unlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { systemClock } from '../../core/clock.ts'
import { type EventFacts, Events } from '../../core/events.ts'
import { SqliteDagStore } from '../sqlite/dag.ts'
import { Database } from '../sqlite/database.ts'
import { DagFolder } from './dag-folder.ts'

const hello = (id: string, options = '') => `
import { dag } from '@daggerboard/dag'
export default dag('${id}', { ${options} }, ({ task }) => {
  task('hello', async ({ log }) => log('hello'))
})
`

async function folderWith(t: TestContext, files: Record<string, string>, { db = new Database(':memory:'), fileTimeoutMs = 30_000 } = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'dags-'))
  const write = (name: string, text: string) => writeFile(join(folder, name), text)
  for (const [name, text] of Object.entries(files)) await write(name, text)
  const events = new Events(systemClock)
  const told: EventFacts['dag_file.changed'][] = []
  let heard = () => {}
  events.subscribe((event) => {
    if (event.type === 'dag_file.changed') told.push(event.facts)
    heard()
  })
  const dags = new SqliteDagStore(db)
  const dagFolder = new DagFolder({ folder, dags, clock: systemClock, events, fileTimeoutMs, rescanMs: 100 })
  t.after(async () => {
    await dagFolder.stop()
    await rm(folder, { recursive: true, force: true })
  })
  /** Resolves at the next reading of `file`. */
  const reading = (file: string) =>
    new Promise<EventFacts['dag_file.changed']>((resolve) => {
      heard = () => {
        const last = told.at(-1)
        if (last?.file === file) resolve(last)
      }
    })
  return { folder, dags, dagFolder, told, write, reading, db }
}

test('a file that does not parse, throws, hangs or ends its process is an import error and hurts no other file', async (t) => {
  const { dags, dagFolder } = await folderWith(
    t,
    {
      'a_syntax.ts': `${hello('a')}\nconst = 3\n`,
      'b_throws.ts': "import { dag } from '@daggerboard/dag'\n\nthrow new TypeError('no network')\nexport default dag('b', {}, () => {})",
      'c_loops.ts': 'for (;;) {}',
      'd_exits.ts': 'process.exit(3)',
      'e_circle.ts': `import { dag } from '@daggerboard/dag'
export const one = dag('e', {}, ({ task }) => {
  const a = task('a', async () => {})
  a.after(task('b', async () => {}).after(a))
})`,
      'f_cron.ts': hello('f', "schedule: '0 25 * * *'"),
      'g_good.ts': hello('g'),
      'helper.ts': 'export const name = "no DAG in here"',
    },
    { fileTimeoutMs: 2_000 },
  )
  await dagFolder.start()
  assert.deepEqual(
    (await dags.list()).map(({ dagId, isPaused }) => [dagId, isPaused]),
    [['g', true]],
  )
  const errors = await dags.importErrors()
  assert.deepEqual(
    errors.map(({ file, line }) => [file, line]),
    [
      ['a_syntax.ts', 7],
      ['b_throws.ts', 3],
      ['c_loops.ts', null],
      ['d_exits.ts', null],
      ['e_circle.ts', 2],
      ['f_cron.ts', 3],
    ],
  )
  const messages = errors.map(({ message }) => message)
  assert.match(messages[0] ?? '', /SyntaxError/)
  assert.equal(messages[1], 'TypeError: no network')
  assert.match(messages[2] ?? '', /not read through within 2 s\. Does it loop/)
  assert.match(messages[3] ?? '', /exit status 3 while it was read\. Take "process\.exit" out/)
  assert.match(messages[4] ?? '', /go in a circle: a → b → a/)
  assert.match(messages[5] ?? '', /DAG "f" cannot be scheduled\. The schedule "0 25 \* \* \*" cannot be read/)
})

test('a file that loops after it was read hurts no other file', async (t) => {
  const { dags, dagFolder } = await folderWith(
    t,
    { 'a_late.ts': `${hello('late')}\nsetTimeout(() => { for (;;); }, 0)`, 'b_good.ts': hello('b'), 'c_good.ts': hello('c') },
    { fileTimeoutMs: 2_000 },
  )
  await dagFolder.start()
  assert.deepEqual(
    (await dags.list()).map(({ dagId }) => dagId),
    ['b', 'c', 'late'],
  )
  assert.deepEqual(await dags.importErrors(), [])
})

test('the same DAG id twice in one file is refused, and one DAG under two names is not', async (t) => {
  const { dags, dagFolder } = await folderWith(t, {
    'names.ts': `${hello('named').replace('default dag', 'const one = dag')}\nexport { one as two }\nexport default one`,
    'twice.ts': `${hello('twice')}\nexport const other = dag('twice', {}, () => {})`,
  })
  await dagFolder.start()
  assert.deepEqual(
    (await dags.list()).map(({ dagId }) => dagId),
    ['named'],
  )
  assert.deepEqual(
    (await dags.importErrors()).map(({ file, line, message }) => ({ file, line, message })),
    [
      {
        file: 'twice.ts',
        line: 3,
        message: 'DAG "twice" is defined more than once in this file, in the lines 3 and 7. Give each its own id.',
      },
    ],
  )
})

test('a saved file is visible in less than a second, and so is one whose import was saved', async (t) => {
  const { dags, dagFolder, write, reading } = await folderWith(t, {
    'names.ts': "export const name = 'first'",
    'one.ts': "import { dag } from '@daggerboard/dag'\nimport { name } from './names.ts'\nexport default dag(name, {}, () => {})",
  })
  await dagFolder.start()
  const save = async (file: string, text: string, read = file) => {
    const before = performance.now()
    const read_ = reading(read)
    await write(file, text)
    await read_
    return performance.now() - before
  }
  const added = await save('two.ts', hello('two'))
  const imported = await save('names.ts', "export const name = 'second'", 'one.ts')
  assert.deepEqual(
    (await dags.list()).map(({ dagId }) => dagId),
    ['second', 'two'],
  )
  t.diagnostic(`visible after ${added.toFixed(0)} ms and ${imported.toFixed(0)} ms`)
})

test('of a file that is a link, what it leads to counts: a change there is heard of, and without one nothing is read', async (t) => {
  const elsewhere = await mkdtemp(join(tmpdir(), 'elsewhere-'))
  t.after(() => rm(elsewhere, { recursive: true }))
  await writeFile(join(elsewhere, 'target.ts'), hello('linked'))
  const { folder, dags, dagFolder, reading } = await folderWith(t, {})
  await symlink(join(elsewhere, 'target.ts'), join(folder, 'link.ts'))
  await dagFolder.start()
  assert.equal(await dagFolder.scan(), 0)
  const heard = reading('link.ts')
  await writeFile(join(elsewhere, 'target.ts'), hello('other'))
  await heard
  assert.deepEqual(
    (await dags.list()).map(({ dagId }) => dagId),
    ['other'],
  )
})

test('a broken save keeps the DAG as it was last read, and the mended one clears the error', async (t) => {
  const { dags, dagFolder, write } = await folderWith(t, { 'one.ts': hello('one') })
  await dagFolder.start()
  await write('one.ts', 'export default (')
  await dagFolder.scan()
  assert.deepEqual(
    (await dags.list()).map(({ dagId, hasImportErrors }) => [dagId, hasImportErrors]),
    [['one', true]],
  )
  await write('one.ts', hello('one', "schedule: '@daily'"))
  await dagFolder.scan()
  const [one] = await dags.list()
  assert.equal(one?.hasImportErrors, false)
  assert.equal(one?.document.schedule.kind, 'cron')
  assert.deepEqual(await dags.importErrors(), [])
})

test('an import of what is not there names its line in the DAG file, also where a file between them has it', async (t) => {
  const { dags, dagFolder } = await folderWith(t, {
    'a.ts': `import fs from 'node:fs'\nimport { rows } from './gone.ts'\n${hello('a')}`,
    'b.ts': `import { rows } from './between.ts'\n${hello('b')}`,
    'between.ts': "export { rows } from 'no-such-package'",
  })
  await dagFolder.start()
  const errors = (await dags.importErrors()).filter(({ file }) => file !== 'between.ts')
  assert.deepEqual(
    errors.map(({ file, line }) => [file, line]),
    [
      ['a.ts', 2],
      ['b.ts', 1],
    ],
  )
  assert.match(errors[1]?.message ?? '', /Cannot find package 'no-such-package' imported from .*between\.ts/)
})

test('the same DAG id in two files is refused, until one of them goes', async (t) => {
  const { dags, dagFolder, folder } = await folderWith(t, { 'one.ts': hello('same'), 'two.ts': hello('same') })
  await dagFolder.start()
  assert.match((await dags.importErrors())[0]?.message ?? '', /DAG "same" is already defined in one\.ts\. Give one of them another id\./)
  assert.equal((await dags.importErrors())[0]?.line, 3)
  await rm(join(folder, 'one.ts'))
  await dagFolder.scan()
  assert.deepEqual(await dags.importErrors(), [])
  assert.deepEqual(
    (await dags.list()).map(({ dagId, file }) => [dagId, file]),
    [['same', 'two.ts']],
  )
})

test('a file that speaks on the channel of its process is read like any other', async (t) => {
  const { dags, dagFolder } = await folderWith(t, {
    'a.ts': `process.send?.({ file: 'b.ts', dags: 7 })\n${hello('a')}`,
    'b.ts': hello('b'),
  })
  await dagFolder.start()
  assert.deepEqual(await dags.importErrors(), [])
  assert.deepEqual((await dags.list()).map(({ dagId }) => dagId).sort(), ['a', 'b'])
})

test('what a file says that is no DAG as the platform knows it is its own import error, and hurts no other file', async (t) => {
  const made = (documents: string) =>
    `import fs from 'node:fs'\nfs.writeSync(3, JSON.stringify([{ file: import.meta.filename, stamps: { [import.meta.filename]: '' }, source: '', documents: ${documents} }]) + '\\n')\n${hello('b')}`
  const { dags, dagFolder, write, reading } = await folderWith(t, { 'a.ts': hello('a'), 'b.ts': made('[{}]'), 'c.ts': hello('c') })
  await dagFolder.start()
  const [error, ...others] = await dags.importErrors()
  assert.deepEqual([error?.file, others], ['b.ts', []])
  assert.match(error?.message ?? '', /^A DAG is not written as this platform reads it: dagId, /)
  assert.deepEqual((await dags.list()).map(({ dagId }) => dagId).sort(), ['a', 'c'])
  const read = reading('b.ts')
  await write('b.ts', made("[{ dagId: 7, tasks: [null], schedule: { kind: 'none' } }]"))
  assert.match((await read).error ?? '', /: dagId, [\s\S]*version of @daggerboard\/dag/)
})

test('a DAG whose file went away while nobody looked is stale', async (t) => {
  const db = new Database(':memory:')
  const first = await folderWith(t, { 'one.ts': hello('one') }, { db })
  await first.dagFolder.start()
  await first.dagFolder.stop()
  const second = await folderWith(t, { 'two.ts': hello('two') }, { db })
  await second.dagFolder.start()
  assert.deepEqual(
    (await second.dags.list({ includeStale: true })).map(({ dagId, isStale }) => [dagId, isStale]),
    [
      ['one', true],
      ['two', false],
    ],
  )
})

test('a file that is being read when the platform stops gets no error from it', async (t) => {
  const begins = `import { writeFileSync } from 'node:fs'\nwriteFileSync(new URL('./begun', import.meta.url), '')\n`
  const { folder, dags, dagFolder, write, told } = await folderWith(t, { 'd.ts': hello('d') })
  await dagFolder.start()
  await write('d.ts', `${hello('d')}\n${begins}\nfor (;;) {}`)
  while (!existsSync(join(folder, 'begun'))) await new Promise(setImmediate)
  await dagFolder.stop()
  assert.deepEqual([await dags.importErrors(), (await dags.find('d'))?.hasImportErrors, told.length], [[], false, 1])
})

test('a file that is there and cannot be read is an import error, until it can be read', async (t) => {
  const { folder, dags, dagFolder, reading, write } = await folderWith(t, { 'fine.ts': hello('fine') })
  await symlink('circle.ts', join(folder, 'circle.ts'))
  await dagFolder.start()
  const [error] = await dags.importErrors()
  assert.deepEqual([error?.file, (await dags.list()).map(({ dagId }) => dagId)], ['circle.ts', ['fine']])
  assert.match(error?.message ?? '', /ELOOP.*Let the platform read it/)
  const mended = reading('circle.ts')
  await unlink(join(folder, 'circle.ts'))
  await write('circle.ts', hello('circle'))
  assert.equal((await mended).error, null)
  assert.deepEqual(await dags.importErrors(), [])
})

test('a folder that is not there is refused', async () => {
  const events = new Events(systemClock)
  const dags = new SqliteDagStore(new Database(':memory:'))
  await assert.rejects(
    new DagFolder({ folder: '/nowhere/dags', dags, clock: systemClock, events }).start(),
    /"\/nowhere\/dags" is not a folder\. Create it/,
  )
})

test('a DAG that was deleted comes back with the next look at its file, which nobody has touched, also after a restart', async (t) => {
  const { folder, dags, dagFolder } = await folderWith(t, { 'a.ts': hello('a'), 'b.ts': hello('b') })
  await dagFolder.start()
  await dags.delete('a')
  assert.equal(await dagFolder.scan(), 1)
  assert.equal((await dags.find('a'))?.isStale, false)
  assert.equal(await dagFolder.scan(), 0)
  await dagFolder.stop()
  await dags.delete('b')
  const later = new DagFolder({ folder, dags, clock: systemClock, events: new Events(systemClock) })
  t.after(() => later.stop())
  await later.start()
  assert.equal((await dags.find('b'))?.isStale, false)
})
