import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { DataCatalog, formatCsv, type NodeContext, run, Table } from '@daggerboard/pipeline'
import { loading } from '../pipelines/loading.ts'
import { openFolder } from '../storage/folder.ts'
import { generatedRows } from '../testing-data.ts'
import { readParts } from './loading.ts'

const folders: string[] = []
after(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))))

const context: NodeContext = { signal: new AbortController().signal, log() {} }
const noStorage = () => assert.fail('no storage is needed')

/** A folder as the transform writes it: parts, and the manifest that names them. */
async function folderOf(tables: readonly Table[], change: (manifest: { rows: number; parts: { md5Hash: string }[] }) => void = () => {}) {
  const folder = await mkdtemp(join(tmpdir(), 'primary-'))
  folders.push(folder)
  const parts = []
  for (const [index, table] of tables.entries()) {
    const name = `part-0000${index}-f00d-c000.csv`
    const text = formatCsv(table)
    await writeFile(join(folder, name), text)
    parts.push({ name, rows: table.rows, bytes: text.length, md5Hash: createHash('md5').update(text).digest('base64') })
  }
  const rows = tables.reduce((sum, table) => sum + table.rows, 0)
  const manifest = { start: '2019-09-30', end: '2019-10-07', rows, parts }
  change(manifest)
  await writeFile(join(folder, '_manifest.json'), JSON.stringify(manifest))
  return folder
}

const rows = generatedRows(300)
const halves = [rows.take(Array.from({ length: 150 }, (_, i) => i)), rows.take(Array.from({ length: 150 }, (_, i) => 150 + i))]

test('loading joins the parts that the manifest names, and leaves the leftovers of other runs alone', async () => {
  const folder = await folderOf(halves)
  await writeFile(join(folder, 'part-00009-old-c000.csv'), 'a,b\n1,2\n')
  const [primary, source] = await readParts(openFolder(folder, noStorage), context)
  assert.equal(primary.names.length, 16)
  assert.ok(primary.has('purchased'))
  assert.deepEqual(primary.toRecords(), rows.toRecords())
  assert.deepEqual(source, { folder, start: '2019-09-30', end: '2019-10-07', rows: 300 })
})

test('the pipeline `loading` gives the primary table of the folder that it is told', async () => {
  const folder = await folderOf(halves)
  const parameters = { primary: { folder, bucket: 'unused' }, environment: { name: '', branch: 'staging', commit: '' } }
  const { primary } = await run(loading, new DataCatalog({ parameters }))
  assert.ok(primary instanceof Table)
  assert.deepEqual([primary.names.length, primary.rows], [16, 300])
})

test('rows that the transform replaces while they are read are read anew, never mixed', async () => {
  const [before, after] = [openFolder(await folderOf(halves), noStorage), openFolder(await folderOf([halves[1] as Table]), noStorage)]
  let isReplaced = false
  const folder = {
    uri: before.uri,
    read: async (name: string) => {
      if (name === 'part-00001-f00d-c000.csv') isReplaced = true
      if (isReplaced && name.startsWith('part-00001')) throw new Error('there is no such object')
      return (isReplaced ? after : before).read(name)
    },
  }
  const [primary] = await readParts(folder, context)
  assert.deepEqual(primary.toRecords(), halves[1]?.toRecords())
})

test('a damaged part is refused', async () => {
  const folder = await folderOf(halves, (manifest) => {
    // One only: parts are read side by side, and any of several may be refused first.
    for (const part of manifest.parts.slice(0, 1)) part.md5Hash = 'other'
  })
  await assert.rejects(readParts(openFolder(folder, noStorage), context), /Part part-00000-f00d-c000.csv .* is damaged/)
})

test('a folder without a manifest is refused, for its transform has not finished', async () => {
  await assert.rejects(readParts(openFolder(join(tmpdir(), 'nowhere'), noStorage), context), /has no readable _manifest.json/)
})

test('every broken contract of the table is said at once', async () => {
  const wrong = rows
    .with(
      'weekday',
      rows.numbers('weekday').map(() => 7),
    )
    .with(
      'user_session',
      rows.texts('user_session').map(() => null),
    )
  const folder = await folderOf([wrong, wrong], (manifest) => {
    manifest.rows = 1
  })
  await assert.rejects(
    readParts(openFolder(folder, noStorage), context),
    (error: Error) =>
      /600 rows, but its manifest says 1/.test(error.message) &&
      /repeat a \(user_session, product_id\)/.test(error.message) &&
      /no user_session/.test(error.message) &&
      /no weekday between 0 and 6/.test(error.message),
  )
})
