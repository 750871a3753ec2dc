import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { parseAllDocuments } from 'yaml'
import { describeSettings } from '../../packages/platform/src/settings.ts'
import { referencePages } from '../../scripts/reference.ts'
import { anchorsOf, guides, linksOf, pages, root } from './markdown.ts'

const all = pages()
const guideText = guides()
  .map(({ text }) => text)
  .join('\n')
const usage = execFileSync(process.execPath, [join(root, 'packages/platform/src/main.ts'), 'help'], { encoding: 'utf8' })
const described = describeSettings()
const variables: readonly string[] = described.flatMap(({ shortVariable, variable }) => [
  variable,
  `${variable}_FILE`,
  ...(shortVariable ? [shortVariable, `${shortVariable}_FILE`] : []),
])

/** Read by other programs of this project than the platform, or carrying a value of the user's. */
const OTHER_VARIABLES = ['DAGGERBOARD_CONFIG', 'DAGGERBOARD_ENDPOINT', 'DAGGERBOARD_TOKEN', 'DAGGERBOARD_TEST_DATA', 'DAGGERBOARD_BUILD_ID']

test('every relative link leads to a file, and every anchor to a heading', () => {
  const broken = all.flatMap((page) =>
    linksOf(page)
      .filter((target) => !/^[a-z]+:/.test(target))
      .filter((target) => {
        const [path = '', anchor] = target.split('#')
        const file = path === '' ? join(root, page.path) : join(root, dirname(page.path), path)
        return !existsSync(file) || (anchor !== undefined && !anchorsOf(readFileSync(file, 'utf8')).includes(anchor))
      })
      .map((target) => `${page.path}: ${target}`),
  )
  assert.deepEqual(broken, [])
})

test('the pages of docs/reference say what the code says', () => {
  for (const [path, text] of Object.entries(referencePages()))
    assert.equal(readFileSync(join(root, path), 'utf8'), text, `${path} is stale. Run: npm run reference`)
})

test('every variable of the documents exists, and the guides tell of every one that is short', () => {
  // Not in `text` blocks: what is printed may well be about a wrong name.
  const unknown = all.flatMap(({ path, text }) =>
    [...text.replaceAll(/^```text\n[\s\S]*?^```$/gm, '').matchAll(/\bDAGGERBOARD_[A-Z0-9_]+/g)]
      .map(([name]) => name)
      .filter(
        (name) =>
          !variables.includes(name) && !OTHER_VARIABLES.includes(name) && !/^DAGGERBOARD_(VAR|CONN)_|^DAGGERBOARD__SECTION__KEY/.test(name),
      )
      .map((name) => `${path}: ${name}`),
  )
  assert.deepEqual(unknown, [])
  assert.deepEqual(
    described.map(({ shortVariable }) => shortVariable ?? '').filter((name) => !guideText.includes(name)),
    [],
  )
})

test('every npm script, command and option of the documents exists, and every option of the demo is told of', () => {
  const scripts = Object.keys(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).scripts)
  const known = [...usage.matchAll(/--[a-z]+/g)].map(([option]) => option)
  const problems: string[] = []
  for (const { path, text } of all.filter((page) => !page.path.startsWith('examples/'))) {
    for (const [, script = ''] of text.matchAll(/\bnpm run ([\w:-]+)/g))
      if (!scripts.includes(script)) problems.push(`${path}: npm run ${script}`)
    for (const [, given = ''] of text.matchAll(/\bnpm run demo -- ([^`\n]*)/g))
      for (const [option] of given.matchAll(/--[\w-]+/g)) if (!known.includes(option)) problems.push(`${path}: ${option}`)
  }
  assert.deepEqual(problems, [])
  assert.deepEqual(
    known.filter((option) => !guideText.includes(option)),
    [],
  )
})

test('JSON and YAML of the documents can be read', () => {
  for (const { blocks } of all)
    for (const { language, text, place } of blocks) {
      if (language === 'json') assert.doesNotThrow(() => JSON.parse(text), place)
      if (language === 'yaml') for (const document of parseAllDocuments(text)) assert.deepEqual(document.errors, [], place)
    }
})
