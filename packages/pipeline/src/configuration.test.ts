import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { catalogOf } from './catalog.ts'
import { loadConfiguration, parseOverrides } from './configuration.ts'
import { Table } from './table.ts'

const folders: string[] = []
after(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))))

/** How a configuration file refers to a variable. */
const env = (inside: string) => `\${env:${inside}}`

async function projectWith(files: Record<string, string>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'pipeline-'))
  folders.push(root)
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await writeFile(join(root, path), text)
  }
  return root
}

test('an environment lies over the base, and --params over both', async () => {
  const root = await projectWith({
    'conf/base/parameters.yml': 'training: {folds: 3, seed: 1}\nratio: 0.3',
    'conf/staging/parameters.yml': 'training: {folds: 5}',
  })
  const { parameters } = await loadConfiguration({ root, environment: 'staging', overrides: parseOverrides('training.seed=7,ratio=0.5') })
  assert.deepEqual(parameters, { training: { folds: 5, seed: 7 }, ratio: 0.5 })
})

test('variables fill in with the type of their default, and an empty one counts as not set', async () => {
  const root = await projectWith({
    'conf/base/parameters.yml': `folds: ${env('FOLDS,3')}\nfolder: ${env('FOLDER,')}\nsha: ${env('SHA,none')}\npath: a/${env('X,b')}/c`,
  })
  const { parameters } = await loadConfiguration({ root, variables: { FOLDS: '4', FOLDER: '', SHA: '1234567', X: '' } })
  assert.deepEqual(parameters, { folds: 4, folder: '', sha: '1234567', path: 'a/b/c' })
})

test('all that is wrong with the configuration is said at once', async () => {
  const root = await projectWith({
    'conf/base/parameters.yml': `folder: ${env('NOWHERE')}\nfolds: ${env('FOLDS,3')}`,
    'conf/base/catalog.yml': '- a list',
  })
  await assert.rejects(
    loadConfiguration({ root, variables: { FOLDS: 'many' }, overrides: { fold: 1 } }),
    (error: Error & { problems: string[] }) =>
      error.problems.length === 4 &&
      /NOWHERE/.test(error.message) &&
      /"many"/.test(error.message) &&
      /Did you mean "folds"/.test(error.message),
  )
  await assert.rejects(loadConfiguration({ root, environment: 'bass' }), /no environment "bass".*Did you mean "base"/)
})

test('a catalog that leaves the project or names unknown types is refused with all its problems', () => {
  assert.throws(
    () =>
      catalogOf(
        {
          a: { type: 'csv.Tabel', filepath: 'a.csv' },
          b: { type: 'csv.Table', filepath: '../b.csv' },
          c: { type: 'json.JSON', filepth: 'c' },
        },
        { root: '/tmp', version: 'v' },
      ),
    (error: Error & { problems: string[] }) =>
      error.problems.length === 4 && /Did you mean "csv.Table"/.test(error.message) && /leaves the project/.test(error.message),
  )
})

test('every type of dataset gives back what was saved, and refuses what is not of its kind', async () => {
  const root = await projectWith({})
  const catalog = catalogOf(
    {
      table: { type: 'csv.Table', filepath: 'data/t.csv', types: { id: 'text' } },
      json: { type: 'json.JSON', filepath: 'data/j.json' },
      text: { type: 'text.Text', filepath: 'data/t.txt' },
      bytes: { type: 'binary.Binary', filepath: 'data/b.bin' },
    },
    { root, version: 'v' },
  )
  const values = { table: Table.fromRecords([{ id: '1', x: 2 }]), json: { a: [1] }, text: 'hello', bytes: new Uint8Array([1, 2]) }
  for (const [name, value] of Object.entries(values)) {
    await assert.rejects(catalog.load(name), /there is no file/)
    await catalog.save(name, value)
    assert.deepEqual(await catalog.load(name), value)
    await assert.rejects(catalog.save(name, undefined), new RegExp(`Dataset "${name}" cannot be saved`))
  }
})

test('a versioned dataset keeps every version and loads the newest', async () => {
  const root = await projectWith({})
  const at = (version: string) =>
    catalogOf({ model: { type: 'text.Text', filepath: 'data/model.txt', versioned: true } }, { root, version })
  await at('2026-01-01').save('model', 'first')
  await at('2026-02-01').save('model', 'second')
  assert.equal(await at('2026-03-01').load('model'), 'second')
})
