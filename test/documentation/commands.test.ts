import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { copyFile, cp, mkdir, rm, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { pythonWith } from '../../conformance/python.ts'
import { RunningPlatform } from '../end-to-end/running-platform.ts'
import { type Block, guides, type Page, root } from './markdown.ts'

/** Where the guides say that the platform listens. */
const PORT = ':8080'
const LIMIT_MS = 180_000

let folder: string
let platform: RunningPlatform
let endpoint: string

before(async () => {
  // Within the repository, where Node finds the clients that the guides import.
  folder = join(root, '.daggerboard/guides', String(process.pid))
  const dagsFolder = join(folder, 'write-a-dag', 'dags')
  await cp(join(root, 'examples/dags'), dagsFolder, { recursive: true })
  // The DAGs of the wind farm are made of that project.
  await cp(join(root, 'examples/wind-farm'), join(folder, 'write-a-dag', 'wind-farm'), { recursive: true })
  platform = await RunningPlatform.start(['start'], { environment: { DAGGERBOARD_DAGS_FOLDER: dagsFolder } })
  endpoint = await platform.endpoint()
  await copyFile(join(homedir(), '.npmrc'), join(folder, '.npmrc')).catch(() => {})
})
after(async () => {
  await platform?.remove()
  await rm(folder, { recursive: true, force: true })
})

const ours = (text: string): string => text.replaceAll(PORT, `:${new URL(endpoint).port}`)

/** Blocks in Python are left out on a machine that has none; CI has it. */
const hasPython = process.env.CI !== undefined || spawnSync('python3', ['-c', 'import ensurepip']).status === 0

const isRun = ({ marks }: Block) => marks.has('run') || marks.has('prints') || marks.has('file')

for (const page of guides().filter(({ blocks }) => blocks.some(({ marks }) => marks.has('run'))))
  test(`the commands of ${page.path} do what it says, one after the other`, async () => {
    const home = join(folder, page.path.replace(/^.*\/|\.md$/g, ''))
    await mkdir(join(home, '.blocks'), { recursive: true })
    const { status, sections } = await run(home, page)
    assert.equal(status, 0, `${lastOf(sections).place} failed:\n${lastOf(sections).output.slice(-4000)}`)
    for (const { text, place } of page.blocks.filter(({ marks }) => marks.has('prints'))) {
      const above = blockAbove(page, place)
      if (above.language === 'python' && !hasPython) continue
      const output = sections.find((section) => section.place === above.place)?.output ?? ''
      assert.match(output, patternOf(text), `${place} is not what is printed. This is:\n${output}`)
    }
  })

interface Section {
  readonly place: string
  output: string
}

const lastOf = (sections: readonly Section[]): Section => sections.at(-1) ?? { place: 'The first block', output: '' }

/** The last block above `place` that runs. */
function blockAbove({ blocks }: Page, place: string): Block {
  const index = blocks.findIndex((block) => block.place === place)
  const above = blocks.slice(0, index).findLast(({ marks }) => marks.has('run'))
  assert.ok(above, `${place}: nothing runs above it.`)
  return above
}

/** All blocks of a page in one shell, so that what one sets the next ones have. */
async function run(home: string, { blocks }: Page): Promise<{ status: number | null; sections: Section[] }> {
  const mark = `block ${process.pid} `
  let script = 'set -euo pipefail\nexec 2>&1\n'
  for (const [index, { text, marks, place, language }] of blocks.filter(isRun).entries()) {
    const file = marks.get('file')
    const copy = join(home, '.blocks', String(index))
    await writeFile(copy, ours(text))
    if (file !== undefined) {
      script += `mkdir -p '${dirname(join(home, file))}'; cp '${copy}' '${join(home, file)}'\n`
    } else if (marks.has('run') && (language !== 'python' || hasPython)) {
      const packages = (marks.get('run') ?? '').split(' ')
      script += `echo; echo '${mark}${place}'\n${language === 'python' ? `'${await pythonWith(packages)}' '${copy}'\n` : ours(text)}`
    }
  }
  const child = spawn('bash', ['-c', script], {
    cwd: home,
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(DAGGERBOARD_|NODE_TEST_CONTEXT$|NODE_OPTIONS$)/.test(name))),
      PATH: [dirname(process.execPath), process.env.PATH].join(delimiter),
      HOME: folder,
      REPOSITORY: root,
      PASSWORD: RunningPlatform.login.replace('admin:', ''),
    },
  })
  const timer = setTimeout(() => child.pid && process.kill(-child.pid, 'SIGKILL'), LIMIT_MS)
  let output = ''
  for await (const text of child.stdout.setEncoding('utf8')) output += text
  clearTimeout(timer)
  const status = child.exitCode ?? (await new Promise<number | null>((resolve) => child.once('exit', resolve)))
  const sections = output.split(`\n${mark}`).slice(1)
  return {
    status,
    sections: sections.map((section) => {
      const end = section.indexOf('\n')
      return { place: section.slice(0, end), output: section.slice(end + 1) }
    }),
  }
}

/** The text as it stands; `…` is anything, and the platform's address is the one that it has here. */
const patternOf = (text: string): RegExp =>
  new RegExp(
    ours(text)
      .trim()
      .split('…')
      .map((part) => RegExp.escape(part))
      .join('[\\s\\S]*?'),
  )
