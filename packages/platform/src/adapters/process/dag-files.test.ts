import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
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
