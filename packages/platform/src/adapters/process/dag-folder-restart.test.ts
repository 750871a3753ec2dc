import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { systemClock } from '../../core/clock.ts'
import { Events } from '../../core/events.ts'
import { SqliteDagStore } from '../sqlite/dag.ts'
import { Database } from '../sqlite/database.ts'
import { DagFolder, type DagFolderOptions } from './dag-folder.ts'

const hello = (id: string, options = '') => `
import { dag } from '@daggerboard/dag'
export default dag('${id}', { ${options} }, ({ task }) => {
  task('hello', async ({ log }) => log('hello'))
})
`

/** A folder, and platforms that start on it one after the other. */
async function folderOf(t: TestContext, files: Readonly<Record<string, string>>) {
  const folder = await mkdtemp(join(tmpdir(), 'dags-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const write = (name: string, text: string) => writeFile(join(folder, name), text)
  for (const [name, text] of Object.entries(files)) await write(name, text)
  const dags = new SqliteDagStore(new Database(':memory:'))
  const platform = (options: Partial<DagFolderOptions> = {}) => {
    const events = new Events(systemClock)
    const read: string[] = []
    let heard = () => {}
    events.subscribe((event) => {
      if (event.type === 'dag_file.changed') read.push(event.facts.file)
      heard()
    })
    const dagFolder = new DagFolder({ folder, dags, clock: systemClock, events, rescanMs: 100, ...options })
    t.after(() => dagFolder.stop())
    const reading = (file: string) =>
      new Promise<void>((resolve) => {
        heard = () => read.at(-1) === file && resolve()
      })
    return { dagFolder, read, reading }
  }
  return { folder, dags, write, platform }
}

test('a start reads only what has changed since the last one, or was read by another version or with other defaults', async (t) => {
  const { write, platform } = await folderOf(t, {
    'one.ts': hello('one'),
    'two.ts': `import './names.ts'\n${hello('two')}`,
    'names.ts': 'export const name = 1',
  })
  const start = async (options: Partial<DagFolderOptions> = {}) => {
    const { dagFolder, read } = platform(options)
    await dagFolder.start()
    await dagFolder.stop()
    return read.sort()
  }
  assert.deepEqual(await start(), ['names.ts', 'one.ts', 'two.ts'])
  assert.deepEqual(await start(), [])
  await write('names.ts', 'export const name = 2')
  assert.deepEqual(await start(), ['names.ts', 'two.ts'])
  assert.deepEqual(await start({ defaults: { retries: 3 } }), ['names.ts', 'one.ts', 'two.ts'])
  assert.deepEqual(await start({ defaults: { retries: 3 }, version: '2' }), ['names.ts', 'one.ts', 'two.ts'])
})

test('a DAG id that an unchanged file has is refused to a new file, also after a start', async (t) => {
  const { dags, write, platform } = await folderOf(t, { 'b.ts': hello('same') })
  const first = platform()
  await first.dagFolder.start()
  await first.dagFolder.stop()
  await write('a.ts', hello('same'))
  await platform().dagFolder.start()
  assert.deepEqual(
    (await dags.importErrors()).map(({ file }) => file),
    ['a.ts'],
  )
})

test('a file that ends the process a while later harms neither itself nor those read then', async (t) => {
  const others = Object.fromEntries(Array.from({ length: 8 }, (_, index) => [`b${index}.ts`, `await 0\n${hello(`b${index}`)}`]))
  const { dags, platform } = await folderOf(t, { 'a.ts': `setImmediate(() => process.exit(1))\n${hello('a')}`, ...others })
  await platform().dagFolder.start()
  assert.deepEqual([(await dags.list()).length, await dags.importErrors()], [9, []])
})

test('while one file hangs, others are read as they are saved', async (t) => {
  const { dags, write, platform } = await folderOf(t, { 'a.ts': hello('a'), 'b.ts': hello('b') })
  const { dagFolder, reading } = platform({ fileTimeoutMs: 600_000 })
  await dagFolder.start()
  await write('a.ts', 'for (;;) {}')
  const read = reading('b.ts')
  await write('b.ts', hello('b', "description: 'saved'"))
  await read
  assert.equal((await dags.find('b'))?.document.description, 'saved')
})

test('a file is read again after a time where the settings say so, though nothing has changed', async (t) => {
  const { platform } = await folderOf(t, { 'a.ts': hello('a') })
  const { dagFolder, reading } = platform({ rescanMs: 10, rereadMs: 1 })
  await dagFolder.start()
  await reading('a.ts')
})

test('a new DAG is paused as it says itself, else as the settings do, and has their defaults', async (t) => {
  const { dags, platform } = await folderOf(t, { 'a.ts': hello('a'), 'b.ts': hello('b', 'isPausedUponCreation: true, catchup: false') })
  const changed: string[] = []
  const defaults = { catchup: true, retries: 4 }
  await platform({ dagsArePausedAtCreation: false, defaults, onChange: (ids = []) => changed.push(...ids) }).dagFolder.start()
  assert.deepEqual(
    (await dags.list()).map(({ isPaused, document }) => [isPaused, document.catchup, document.tasks[0]?.retries]),
    [
      [false, true, 4],
      [true, false, 4],
    ],
  )
  assert.deepEqual(changed.sort(), ['a', 'b'])
})

test('what the store did not take is read again at the next look', async (t) => {
  const { dags, platform } = await folderOf(t, { 'a.ts': hello('a') })
  const save = dags.saveReadings.bind(dags)
  dags.saveReadings = async () => {
    dags.saveReadings = save
    throw new Error('The disk is full.')
  }
  const { dagFolder } = platform({ rescanMs: 600_000 })
  await assert.rejects(dagFolder.start(), /The disk is full/)
  await dagFolder.scan()
  assert.deepEqual(
    (await dags.list()).map(({ dagId }) => dagId),
    ['a'],
  )
})

test('a file outside of the folder that a DAG file imports is heard of, too, also after a start that read nothing', async (t) => {
  const { write, platform } = await folderOf(t, {})
  const library = await mkdtemp(join(tmpdir(), 'library-'))
  t.after(() => rm(library, { recursive: true, force: true }))
  const save = (description: string) => writeFile(join(library, 'text.ts'), `export const text = '${description}'`)
  await save('first')
  await write('a.ts', `import { text } from '${join(library, 'text.ts')}'\n${hello('a', 'description: text')}`)
  const first = platform()
  await first.dagFolder.start()
  await first.dagFolder.stop()
  const { dagFolder, read, reading } = platform({ rescanMs: 600_000 })
  await dagFolder.start()
  assert.deepEqual(read, [])
  const again = reading('a.ts')
  await save('second')
  await again
})
