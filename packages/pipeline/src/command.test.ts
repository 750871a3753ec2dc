import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { runCommand } from './command.ts'

let root = ''
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'pipeline-'))
  await mkdir(join(root, 'conf/base'), { recursive: true })
  await mkdir(join(root, 'src'))
  await writeFile(join(root, 'conf/base/catalog.yml'), 'rows: {type: csv.Table, filepath: data/rows.csv}\n')
  await writeFile(join(root, 'conf/base/parameters.yml'), 'count: 2\n')
  const library = pathToFileURL(join(import.meta.dirname, 'index.ts')).href
  await writeFile(
    join(root, 'src/pipeline_registry.ts'),
    `import { node, pipeline, PipelineError, Table, type NodeContext } from '${library}'
const make = (count: number, context: NodeContext) => { context.log('making'); return Table.fromRecords(Array.from({ length: count }, (_, i) => ({ i }))) }
const check = (rows: Table) => { if (rows.rows > 3) throw new PipelineError('too many rows'); return rows.rows }
const both = pipeline([node(check, { inputs: 'rows', outputs: 'checked' }), node(make, { inputs: 'params:count', outputs: 'rows' })])
export default { __default__: both, both }
`,
  )
})
after(() => rm(root, { recursive: true }))

async function pipelineCommand(...args: string[]): Promise<{ status: number; output: string; errors: string }> {
  const output: string[] = []
  const errors: string[] = []
  const status = await runCommand(args, {
    root,
    signal: new AbortController().signal,
    print: (line) => output.push(line),
    printError: (line) => errors.push(line),
    now: () => new Date('2026-01-05T05:00:00Z'),
  })
  return { status, output: output.join('\n'), errors: errors.join('\n') }
}

test('`pipeline run` runs the project’s pipeline and tells each node with its rows', async () => {
  const { status, output } = await pipelineCommand('run', '--pipeline', 'both')
  assert.equal(status, 0)
  assert.match(output, /\[1\/2\] make …\n {8}making\n\[1\/2\] make: \d+\.\d\d s, rows 2 rows\n\[2\/2\] check …/)
})

test('a part of the pipeline runs on what the catalog kept', async () => {
  const { status, output } = await pipelineCommand('run', '--from-nodes', 'check')
  assert.equal(status, 0)
  assert.match(output, /\[1\/1\] check/)
})

test('`pipeline list` shows the nodes in running order', async () => {
  assert.match((await pipelineCommand('list')).output, /both\n {2}make: params:count → rows\n {2}check: rows → checked/)
})

test('a node that refuses its data ends with 1, a wrong command with 2, both without a stack', async () => {
  const refused = await pipelineCommand('run', '--params', 'count=4')
  assert.deepEqual([refused.status, refused.errors], [1, 'Node "check": too many rows'])
  const unknown = await pipelineCommand('run', '--pipeline', 'booth')
  assert.deepEqual(unknown.status, 2)
  assert.match(unknown.errors, /Did you mean "both"\?/)
  assert.equal((await pipelineCommand('run', '--pipline', 'both')).status, 2)
  assert.equal((await pipelineCommand('walk')).status, 2)
})
