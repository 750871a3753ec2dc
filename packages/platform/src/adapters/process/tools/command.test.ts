import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { AppError } from '../../../core/app-error.ts'
import { type Command, parseArguments, type Tool } from './command.ts'
import { ignoresOf } from './ignore.ts'

const command = (more: Partial<Command>): Command => ({ path: ['builds', 'submit'], flags: {}, run: async () => 0, ...more })

const tool: Tool = {
  name: 'gcloud',
  commands: [
    command({
      positionals: { minimum: 0, maximum: 1, names: 'a folder' },
      flags: {
        substitutions: { kind: 'map' },
        zones: { kind: 'list' },
        async: { kind: 'boolean' },
        tag: { kind: 'string', short: 't' },
        set: { kind: 'repeated' },
      },
    }),
    command({ path: ['run'], positionals: { minimum: 1, names: 'an image and a command' }, stopsAtPositional: true }),
  ],
  flags: { project: { kind: 'string' }, quiet: { kind: 'boolean', short: 'q', ignored: true } },
}

const parse = (...argv: string[]) => parseArguments(tool, argv)

test('flags read with and without "=", by letter, before and behind the verb', () => {
  const { flags, positionals } = parse('--project', 'shop', '-q', 'builds', 'submit', '-t', 'img:1', 'folder', '--no-async')
  assert.deepEqual(
    [flags.string('project'), flags.string('tag'), flags.boolean('async', true), positionals],
    ['shop', 'img:1', false, ['folder']],
  )
  assert.equal(parse('builds', 'submit', '--tag=x=y').flags.string('tag'), 'x=y')
})

test('lists and maps split at commas or at a separator that is named, and add up; repeated flags keep their commas', () => {
  const { flags } = parse(
    'builds',
    'submit',
    '--substitutions=_A=1,_B=x=y',
    '--substitutions',
    '^|^_C=a,b|_D=2',
    '--zones=a,b',
    '--set',
    'a,b',
  )
  assert.deepEqual(Object.fromEntries(flags.map('substitutions')), { _A: '1', _B: 'x=y', _C: 'a,b', _D: '2' })
  assert.deepEqual([flags.list('zones'), flags.list('set')], [['a', 'b'], ['a,b']])
})

test('a command may take everything behind its first argument as it is', () => {
  assert.deepEqual(parse('run', 'node', '--version', '-x').positionals, ['node', '--version', '-x'])
  assert.deepEqual(parse('builds', 'submit', '--', '--x').rest, ['--x'])
})

test('all that is wrong with the arguments is said at once', () => {
  try {
    parse('builds', 'submit', '--asynch', '--substitutions=_A', '--tag')
    assert.fail('it was read')
  } catch (error) {
    assert.ok(error instanceof AppError)
    assert.deepEqual(error.problems, [
      '--asynch is not supported by "gcloud builds submit" here. Did you mean "async"?',
      '--substitutions takes KEY=VALUE pairs, but was given "_A".',
      '--tag needs a value.',
    ])
  }
  assert.throws(() => parse('builds', 'submi'), /"gcloud builds submi" is not supported .* Did you mean "builds submit"\?/)
  assert.throws(() => parse('builds', 'submit', 'a', 'b'), /takes a folder, but was given: a b/)
})

test('an archive leaves out what .gcloudignore names, or .gitignore when there is none', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'ignore-'))
  await writeFile(join(folder, '.gitignore'), '# build\ndist/\n*.log\n!kept.log\n/only-here.txt\ndocs/**/draft.md\n')
  const ignores = ignoresOf(folder)
  const table: [string, boolean, boolean][] = [
    ['.git', true, true],
    ['.gitignore', false, true],
    ['dist', true, true],
    ['dist', false, false],
    ['a/dist', true, true],
    ['a/x.log', false, true],
    ['a/kept.log', false, false],
    ['only-here.txt', false, true],
    ['a/only-here.txt', false, false],
    ['docs/a/b/draft.md', false, true],
    ['src/app.ts', false, false],
  ]
  for (const [name, isDirectory, expected] of table) assert.equal(ignores(name, isDirectory), expected, name)
  await writeFile(join(folder, '.gcloudignore'), 'secret.txt\n')
  assert.deepEqual([ignoresOf(folder)('secret.txt', false), ignoresOf(folder)('dist', true)], [true, false])
  await rm(folder, { recursive: true })
})
