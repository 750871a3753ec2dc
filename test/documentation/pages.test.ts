import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { parseAllDocuments } from 'yaml'
import { commands } from '../../packages/platform/src/cli/commands.ts'
import { commonOptions, kebab } from '../../packages/platform/src/cli/spelling.ts'
import { describeSettings } from '../../packages/platform/src/settings.ts'
import { referencePages } from '../../scripts/reference.ts'
import { anchorsOf, guides, linksOf, pages, root } from './markdown.ts'

const all = pages()
const guideText = guides()
  .map(({ text }) => text)
  .join('\n')
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

test('the README leads to every guide', () => {
  const targets = all.filter(({ path }) => path === 'README.md').flatMap(linksOf)
  assert.deepEqual(
    guides()
      .map(({ path }) => path)
      .filter((path) => !targets.includes(path)),
    [],
  )
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
  const known = optionsOf('demo')
  const problems: string[] = []
  for (const { path, text } of all.filter((page) => !page.path.startsWith('examples/'))) {
    for (const [, script = ''] of text.matchAll(/\bnpm run ([\w:-]+)/g))
      if (!scripts.includes(script)) problems.push(`${path}: npm run ${script}`)
    for (const [, given = ''] of text.matchAll(/\bnpm run demo -- ([^`\n]*)/g))
      for (const [option] of given.matchAll(/--[\w-]+/g))
        if (!known.includes(option) && option !== '--help') problems.push(`${path}: ${option}`)
  }
  assert.deepEqual(problems, [])
  assert.deepEqual(
    known.filter((option) => !guideText.includes(option)),
    [],
  )
})

/** Spelled as on a command line, without those that every command has. */
const optionsOf = (name: string): string[] => {
  const { options = {} } = commandNamed(name) ?? {}
  return Object.keys(options).map((key) => `--${kebab(key)}`)
}

const commandNamed = (name: string) => {
  const [group = '', verb = ''] = name.split(' ')
  const verbs = commands.groups.find((each) => each.name === group)?.commands ?? []
  return verbs.find((each) => each.name === verb) ?? commands.alone.find((each) => each.name === group || each.aliases?.includes(group))
}

test('every command of the documents exists, with each of its options', () => {
  const problems: string[] = []
  for (const { path, text } of all.filter((page) => page.path !== 'CHANGELOG.md'))
    for (const [line, words = ''] of text.matchAll(/(?<=^|`)(?:npx )?daggerboard ((?:[\w~-]+)(?: [^`\n|#]*)?)/gm)) {
      const command = commandNamed(words)
      const { options = {} } = command ?? {}
      const known = [...Object.keys(options), ...Object.keys(commonOptions({ options })), 'help'].map((key) => `--${kebab(key)}`)
      const isGroup = commands.groups.some((group) => group.name === words.trim().replace(' --help', ''))
      if (!command && !isGroup && words !== 'help') problems.push(`${path}: ${line}`)
      if (command)
        for (const [option] of words.matchAll(/(?<= )--[\w-]+/g)) if (!known.includes(option)) problems.push(`${path}: ${line}: ${option}`)
    }
  assert.deepEqual(problems, [])
})

test('JSON and YAML of the documents can be read', () => {
  for (const { blocks } of all)
    for (const { language, text, place } of blocks) {
      if (language === 'json') assert.doesNotThrow(() => JSON.parse(text), place)
      if (language === 'yaml') for (const document of parseAllDocuments(text)) assert.deepEqual(document.errors, [], place)
    }
})
