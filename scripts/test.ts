/**
 * `npm test`: format and lint, types, unused code, then all tests. `npm test -- NAME …` runs only the test files whose path contains a name.
 * In CI (the variable CI is set) nothing may be skipped but what cannot exist there.
 */
import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'
import { resolve } from 'node:path'

const root = resolve(import.meta.dirname, '..')
const names = process.argv.slice(2)

const TESTS = [
  'test/**/*.test.ts',
  'packages/*/{src,test}/**/*.test.ts',
  'examples/**/*.test.ts',
  'bench/**/*.test.ts',
  'conformance/**/*.test.ts',
  'scripts/**/*.test.ts',
]

const checks: [title: string, file: string, args: string[]][] = [
  ['format and lint', 'biome', ['check', '--error-on-warnings', '.']],
  ['types', 'tsc', ['-p', '.']],
  ['types of the web interface', 'tsc', ['-p', 'packages/web']],
  ['unused code', 'knip', []],
]

function run(title: string, file: string, args: string[]): boolean {
  const began = Date.now()
  const { status } = spawnSync(file, args, { cwd: root, stdio: 'inherit' })
  console.log(`${status === 0 ? '✔' : '✖'} ${title} (${((Date.now() - began) / 1000).toFixed(1)} s)`)
  return status === 0
}

const files = TESTS.flatMap((pattern) => globSync(pattern, { cwd: root, exclude: (path) => path.includes('node_modules') }))
  .filter((path) => names.length === 0 || names.some((name) => path.includes(name)))
  .sort()
if (files.length === 0) {
  console.error(`No test file's path contains ${names.join(' or ')}.`)
  process.exit(1)
}

// Every check runs, so that one look shows all that is wrong.
const outcomes = names.length > 0 ? [] : checks.map(([title, file, args]) => run(title, file, args))
outcomes.push(run('tests', process.execPath, ['--disable-warning=ExperimentalWarning', '--test', '--test-concurrency=2', ...files]))
process.exit(outcomes.every(Boolean) ? 0 : 1)
