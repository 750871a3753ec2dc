import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { silentLogger } from '../../core/logger.ts'
import { DagFiles } from './dag-files.ts'
import { IgnoreFile, type IgnoreSyntax } from './ignore-file.ts'

async function found(t: TestContext, files: Readonly<Record<string, string>>, syntax: IgnoreSyntax = 'glob'): Promise<readonly string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'dag-files-'))
  t.after(() => rm(folder, { recursive: true }))
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true })
    await writeFile(join(folder, name), text)
  }
  return (await new DagFiles(folder, syntax, silentLogger).list()).files
}

const names = (...files: string[]) => Object.fromEntries(files.map((file) => [file, '']))

test('tests, declarations, hidden and installed files are no DAG files', async (t) => {
  const files = names('a.ts', 'a.test.ts', 'a.d.ts', 'a.js', 'below/b.ts', '.git/c.ts', 'node_modules/d/e.ts', 'test.ts')
  assert.deepEqual(await found(t, files), ['a.ts', 'below/b.ts', 'test.ts'])
})

test('a link to a folder is followed, and one that leads in a circle is not', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'dag-files-'))
  t.after(() => rm(root, { recursive: true }))
  const [folder, shared] = [join(root, 'dags'), join(root, 'shared')]
  await mkdir(join(folder, 'own'), { recursive: true })
  await mkdir(join(shared, 'below'), { recursive: true })
  for (const file of [join(folder, 'own/a.ts'), join(shared, 'b.ts'), join(shared, 'below/c.ts')]) await writeFile(file, '')
  await symlink(shared, join(folder, 'team'))
  await symlink(folder, join(shared, 'back'))
  await symlink(shared, join(shared, 'below/circle'))
  await symlink(root, join(folder, 'above'))
  await symlink(join(folder, 'own'), join(folder, 'again'))
  await symlink(join(root, 'nothing'), join(folder, 'broken'))
  const { files, folders } = await new DagFiles(folder, 'glob', silentLogger).list()
  assert.deepEqual(files, ['own/a.ts', 'team/b.ts', 'team/below/c.ts'])
  assert.deepEqual(
    folders.map((path) => path.slice(folder.length)),
    ['', '/own', '/team', '/team/below'],
  )
})

test('an ignore file says as in .gitignore what else is none, and one below takes back what the one above has said', async (t) => {
  const files = names('keep.ts', 'draft_one.ts', 'old/a.ts', 'team/old/a.ts', 'team/draft_two.ts', 'team/sql/q.ts', 'sql/q.ts')
  const ignore = { '.airflowignore': '# drafts\ndraft_*\n\nold/\n/sql\n', 'team/.daggerboardignore': '!draft_two.ts\n' }
  assert.deepEqual(await found(t, { ...files, ...ignore }), ['keep.ts', 'team/draft_two.ts', 'team/sql/q.ts'])
})

test('an ignore file may have regular expressions instead, and a line that is none ignores nothing', async (t) => {
  const files = { ...names('keep.ts', 'project_a/a.ts', 'tenant_1.ts'), '.airflowignore': 'project_a # all of it\ntenant_\\d\n(' }
  assert.deepEqual(await found(t, files, 'regexp'), ['keep.ts'])
  assert.match(new IgnoreFile('x\n(', 'regexp').problems[0] ?? '', /^line 2: error parsing regexp/)
})

test('the last line that fits counts, and a slash within a pattern binds it to its folder', () => {
  const rules = new IgnoreFile('*.ts\n!keep.ts\na/b.ts\n**/deep/*.ts', 'glob')
  assert.deepEqual(
    ['x.ts', 'keep.ts', 'a/b.ts', 'c/a/b.ts', 'a/deep/keep.ts', 'x.js'].map((path) => rules.ignores(path, false)),
    [true, false, true, true, true, null],
  )
})
