import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { authoredDag } from './authored-dag.ts'

test('a task whose file went away during the run says so, and one whose file imports what is not there says that', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'authored-'))
  t.after(() => rm(folder, { recursive: true }))
  const [gone, broken] = [join(folder, 'gone.ts'), join(folder, 'broken.ts')]
  await writeFile(broken, "import './nothing.ts'")
  await assert.rejects(authoredDag(pathToFileURL(gone).href, 'd'), {
    message: `The DAG's file ${gone} is gone. Put it back and clear the task, or delete the run.`,
  })
  await assert.rejects(authoredDag(pathToFileURL(broken).href, 'd'), /Cannot find module .*nothing\.ts/)
})
