/** What DAG files do to the channel between their reader and the platform: each hurts itself alone. */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { FromLoader } from './dag-loader.ts'
import { LoaderTeam } from './loader-team.ts'

/** Reads files that say `text` before they define a DAG of their name, in this order and by one process as long as it lives. */
async function read(t: TestContext, texts: Readonly<Record<string, string>>) {
  const folder = await mkdtemp(join(tmpdir(), 'loader-'))
  const team = new LoaderTeam({ processes: 1 })
  t.after(async () => {
    team.stop()
    await rm(folder, { recursive: true, force: true })
  })
  const names = Object.keys(texts)
  for (const name of names) {
    const text = `import { dag } from '@daggerboard/dag'\nimport fs from 'node:fs'\nimport { spawnSync } from 'node:child_process'\n${texts[name]}\n`
    await writeFile(join(folder, `${name}.ts`), `${text}export default dag('${name}', {}, ({ task }) => void task('t', async () => {}))\n`)
  }
  const answers = new Map<string, FromLoader>()
  await team.read(
    names.map((name) => join(folder, `${name}.ts`)),
    (answer) => answers.set(answer.file, answer),
  )
  return names.map((name) => {
    const answer = answers.get(join(folder, `${name}.ts`))
    if (answer && 'documents' in answer) return answer.documents.map(({ dagId }) => dagId).join()
    return answer && 'error' in answer ? answer.error.message : null
  })
}

const SPOILT =
  /^Reading the file was ended, because something that is no message came through file descriptor 3, which is the channel to the platform\./

test('a file that writes into the channel of its reader is an import error, and all others are read', async (t) => {
  const texts = ['rubbish', '[7]\\n', '[{"file":"other.ts","isGone":true}]\\n', '[]\\n', '[{"file":"x","documents":7}]\\n', '[{}\\n']
  const files = Object.fromEntries(
    texts.flatMap((text, i) => [
      [`b${i}`, `fs.writeSync(3, '${text}')`],
      [`c${i}`, ''],
    ]),
  )
  const [first, ...others] = await read(t, { a: '', ...files })
  assert.equal(first, 'a')
  for (const [i, other] of others.entries()) {
    if (i % 2 === 1) assert.equal(other, `c${(i - 1) / 2}`)
    else assert.match(String(other), SPOILT, texts[i / 2])
  }
})

test('what a file writes there after it was read is not laid at the door of the next one', async (t) => {
  const later = `setTimeout(() => fs.writeSync(3, 'rubbish'), 1)`
  assert.deepEqual(await read(t, { a: later, b: 'await new Promise((done) => setTimeout(done, 30))', c: '' }), ['a', 'b', 'c'])
})

test('an answer that a file makes up about itself is not taken for one about another', async (t) => {
  const forged = `fs.writeSync(3, JSON.stringify([{ file: import.meta.filename, stamps: { [import.meta.filename]: '' }, source: '', documents: [] }]) + '\\n')`
  assert.deepEqual(await read(t, { a: '', b: forged, c: '', d: '' }), ['a', '', 'c', 'd'])
})

test('processes that a file starts do not find the channel, and there is none of Node’s', async (t) => {
  const files = {
    a: `if (spawnSync('/bin/sh', ['-c', 'echo rubbish >&3'], { stdio: 'ignore' }).status === 0) throw new Error('inherited')`,
    b: `if (process.send || process.channel || process.env.NODE_CHANNEL_FD) throw new Error('found')`,
  }
  assert.deepEqual(await read(t, files), ['a', 'b'])
})
