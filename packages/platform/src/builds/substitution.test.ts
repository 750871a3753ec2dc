// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these templates are Cloud Build's, not ours
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { AppError } from '../core/app-error.ts'
import type { BuildConfig } from './build.ts'
import { locateInRequest } from './config.ts'
import { applySubstitutions, substitute } from './substitution.ts'

const values: Record<string, string> = { _VAR: 'World', _VAR_FOO: 'Foo', PROJECT_ID: 'shop' }

describe('the scanner', () => {
  const table: [template: string, result: string][] = [
    ['Hello $_VAR', 'Hello World'],
    ['Hello ${_VAR}!', 'Hello World!'],
    ['$_VAR_FOO', 'Foo'],
    ['$_VARfoo', 'Worldfoo'],
    ['${_VAR}_FOO', 'World_FOO'],
    ['$$_VAR', '$_VAR'],
    ['$$$_VAR', '$World'],
    ['$$$$_VAR', '$$_VAR'],
    ['$${_VAR}', '${_VAR}'],
    ['${_VAR:-x}', '${_VAR:-x}'],
    ['$rc $? $(cmd) $1 ${rc} $', '$rc $? $(cmd) $1 ${rc} $'],
    ['gcr.io/$PROJECT_ID/app', 'gcr.io/shop/app'],
    ['$_UNKNOWN.', '.'],
  ]
  for (const [template, result] of table)
    test(`${template} becomes ${result}`, () =>
      assert.equal(
        substitute(template, (key) => values[key]),
        result,
      ))
})

const builtIns = { PROJECT_ID: 'shop', BUILD_ID: 'b1', LOCATION: 'global', PROJECT_NUMBER: '0' }

function apply(
  config: Partial<BuildConfig>,
  { triggered = false, more = {} }: { triggered?: boolean; more?: Record<string, string> } = {},
) {
  return applySubstitutions(
    { steps: [{ name: 'bash' }], ...config },
    { builtIns: { ...builtIns, ...more }, triggered, locate: locateInRequest },
  )
}

function problemsOf(work: () => unknown): readonly string[] {
  try {
    work()
  } catch (error) {
    if (error instanceof AppError) return error.problems.length > 0 ? error.problems : [error.message]
    throw error
  }
  return []
}

test('every documented field of a build is filled, and a script is not', () => {
  const { config } = apply({
    steps: [{ name: '$_A', args: ['$_A'], env: ['X=$_A'], dir: '$_A', entrypoint: '$_A', script: 'echo $_A' }],
    images: ['gcr.io/$PROJECT_ID/$_A'],
    tags: ['$_A'],
    logsBucket: 'gs://$_A',
    options: { env: ['Y=$_A'] },
    artifacts: { images: ['$_A'], objects: { location: 'gs://$_A', paths: ['$_A'] } },
    substitutions: { _A: 'v' },
  })
  assert.deepEqual(config.steps[0], { name: 'v', args: ['v'], env: ['X=v'], dir: 'v', entrypoint: 'v', script: 'echo $_A' })
  assert.deepEqual([config.images, config.tags, config.logsBucket, config.options], [['gcr.io/shop/v'], ['v'], 'gs://v', { env: ['Y=v'] }])
  assert.deepEqual(config.artifacts, { images: ['v'], objects: { location: 'gs://v', paths: ['v'] } })
})

test('a key that is neither built in nor the user’s own is refused, also when the build is loose', () => {
  for (const substitutionOption of ['MUST_MATCH', 'ALLOW_LOOSE'])
    assert.deepEqual(
      problemsOf(() => apply({ steps: [{ name: 'bash', args: ['-c', 'echo $HOME'] }], options: { substitutionOption } })),
      ['steps[0].args[1]: key in the template "HOME" is not a valid built-in substitution. Write $$HOME for a shell variable.'],
    )
})

test('a missing key and an unused one are errors, unless the build is loose or triggered', () => {
  const config: Partial<BuildConfig> = { steps: [{ name: 'bash', args: ['$_MISSING'] }], substitutions: { _UNUSED: 'x' } }
  const problems = problemsOf(() => apply(config))
  assert.match(problems[0] ?? '', /key in the template "_MISSING" is not matched in the substitution data/)
  assert.match(problems[1] ?? '', /key "_UNUSED" in the substitution data is not matched in the template/)
  assert.deepEqual(apply({ ...config, options: { substitutionOption: 'ALLOW_LOOSE' } }).config.steps[0]?.args, [''])
  assert.deepEqual(apply(config, { triggered: true }).config.steps[0]?.args, [''])
})

test('SHORT_SHA can be given by a request, PROJECT_ID cannot, and a built-in that nobody knows is empty', () => {
  const args = ['$SHORT_SHA', '$BRANCH_NAME']
  assert.deepEqual(apply({ steps: [{ name: 'bash', args }], substitutions: { SHORT_SHA: 'abc1234' } }).config.steps[0]?.args, [
    'abc1234',
    '',
  ])
  assert.match(problemsOf(() => apply({ substitutions: { PROJECT_ID: 'other' } }))[0] ?? '', /cannot be overridden/)
  assert.match(problemsOf(() => apply({ substitutions: { lower: 'x' } }))[0] ?? '', /does not respect the format/)
})

describe('dynamic substitutions', () => {
  const dynamic = (value: string) =>
    apply({
      steps: [{ name: 'bash', args: ['$_OUT'] }],
      substitutions: { _OUT: value, _V: 'a-Bc-Bc', _E: '' },
      options: { dynamicSubstitutions: true, substitutionOption: 'ALLOW_LOOSE' },
    }).config.steps[0]?.args?.[0]
  const table: [string, string][] = [
    ['${_V}', 'a-Bc-Bc'],
    ['$_V-x', 'a-Bc-Bc-x'],
    ['x-$_V-y', 'x-$_V-y'],
    ['${_V^^}', 'A-BC-BC'],
    ['${_V^}', 'A-Bc-Bc'],
    ['${_V,,}', 'a-bc-bc'],
    ['${_V:2:2}', 'Bc'],
    ['${_V:2}', 'Bc-Bc'],
    ['${_V: -2}', 'Bc'],
    ['${_V#*-}', 'Bc-Bc'],
    ['${_V##*-}', 'Bc'],
    ['${_V%-*}', 'a-Bc'],
    ['${_V%%-*}', 'a'],
    ['${_V/Bc/x}', 'a-x-Bc'],
    ['${_V//Bc/x}', 'a-x-x'],
    ['${_V/#a/x}', 'x-Bc-Bc'],
    ['${_V/%Bc/x}', 'a-Bc-x'],
    ['${_E:-none}', 'none'],
    ['${_NOWHERE:=none}', 'none'],
    ['${_E=${_V^^}}', 'A-BC-BC'],
    ['${#_V}', '7'],
    ['gcr.io/${PROJECT_ID}/${_V,,}', 'gcr.io/shop/a-bc-bc'],
  ]
  for (const [value, result] of table) test(`${value} becomes ${result}`, () => assert.equal(dynamic(value), result))

  test('a circle is named', () => {
    const circle = { _A: '${_B}', _B: '${_A^^}' }
    const problems = problemsOf(() => apply({ substitutions: circle, options: { dynamicSubstitutions: true } }))
    assert.match(problems[0] ?? '', /-> .*\]: cycle in evaluating substitutions/)
  })

  test('values that double each other are cut short and refused', () => {
    const bomb = Object.fromEntries(
      Array.from({ length: 30 }, (_, i) => [`_K${i}`, i === 0 ? 'xxxxxxxxxx' : `\${_K${i - 1}}\${_K${i - 1}}`]),
    )
    const problems = problemsOf(() => apply({ substitutions: bomb, options: { dynamicSubstitutions: true } }))
    assert.match(problems[0] ?? '', /longer than 4000 characters/)
  })
})
