import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { isDag } from '@daggerboard/dag'
import { pages, root } from './markdown.ts'

/** Within the repository, where `@daggerboard/…` is found. */
const folder = join(root, '.daggerboard/documentation', String(process.pid))

/** Every `ts` block as a file of its own, by where it stands; one that is marked `file` lies there, so that others may import it. */
const snippets = pages().flatMap(({ path, blocks }) =>
  blocks
    .filter(({ language, marks }) => language === 'ts' && !marks.has('unchecked'))
    .map(({ text, place, marks }, index) => ({
      place,
      text,
      file: join(folder, basename(path, '.md'), marks.get('file') ?? `snippet-${index}.ts`),
    })),
)

before(() => {
  for (const { file, text } of snippets) {
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  }
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }\n')
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ extends: join(root, 'tsconfig.json'), include: ['**/*.ts'], exclude: ['**/node_modules'] }),
  )
})
after(() => rmSync(folder, { recursive: true, force: true }))

test('every TypeScript snippet compiles', () => {
  assert.ok(snippets.length > 0)
  const { status, stdout } = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', folder], {
    encoding: 'utf8',
  })
  assert.equal(status, 0, stdout)
})

test('every snippet that exports a DAG is one that the platform can load', async () => {
  const dags = snippets.filter(({ text }) => /^export default dag\(/m.test(text))
  assert.ok(dags.length > 0)
  for (const { file, place } of dags) assert.ok(isDag((await import(pathToFileURL(file).href)).default), place)
})
