/** Fills `$KEY` and `${KEY}` in a build: built-ins, the user's own `_KEYS`, and the rules about missing and unused ones. */
import { AppError } from '../core/app-error.ts'
import type { BuildConfig } from './build.ts'
import type { Locate } from './config.ts'
import { expandAll } from './expansion.ts'
import { LIMITS } from './limits.ts'
import type { Path } from './read-fields.ts'

/** Known to every build; nobody can override them. */
const FIXED = ['PROJECT_ID', 'PROJECT_NUMBER', 'BUILD_ID', 'LOCATION']
/** Known to triggered builds; a request may give them instead (`--substitutions=SHORT_SHA=…`). */
const OVERRIDABLE = ['REPO_NAME', 'BRANCH_NAME', 'TAG_NAME', 'REVISION_ID', 'COMMIT_SHA', 'SHORT_SHA']
const OF_TRIGGER = ['TRIGGER_NAME', 'REPO_FULL_NAME', 'REF_NAME', 'TRIGGER_BUILD_CONFIG_PATH', 'SERVICE_ACCOUNT_EMAIL', 'SERVICE_ACCOUNT']
const BUILT_INS: ReadonlySet<string> = new Set([...FIXED, ...OVERRIDABLE, ...OF_TRIGGER])

const TEMPLATE = /\$\$|\$\{([A-Z_][A-Z0-9_]*)\}|\$([A-Z_][A-Z0-9_]*)/g

/** Replaces the keys in `template`. `$$` is one `$`; what `lookUp` answers undefined for becomes nothing. */
export function substitute(template: string, lookUp: (key: string) => string | undefined): string {
  return template.replace(TEMPLATE, (match, braced?: string, bare?: string) =>
    match === '$$' ? '$' : (lookUp(braced ?? bare ?? '') ?? ''),
  )
}

export interface SubstitutionOptions {
  readonly builtIns: Readonly<Record<string, string>>
  /** Triggered builds are always loose and dynamic, whatever the file says. */
  readonly triggered: boolean
  readonly locate: Locate
}

/**
 * The build with every template filled and `substitutions` holding what was used (built-ins included). Throws `invalid` with every
 * problem: unknown built-ins always; missing and unused `_KEYS` unless the build is ALLOW_LOOSE.
 */
export function applySubstitutions(
  config: BuildConfig,
  { builtIns, triggered, locate }: SubstitutionOptions,
): { config: BuildConfig; values: Record<string, string> } {
  const problems: string[] = []
  const given = config.substitutions ?? {}
  const { options } = config
  checkGiven(given, problems, locate)
  const dynamic = triggered || options?.dynamicSubstitutions === true
  const fixed = Object.fromEntries(Object.entries(builtIns).filter(([key]) => FIXED.includes(key) || !(key in given)))
  const used = new Set<string>()
  const raw: Record<string, string> = { ...given, ...fixed }
  const values = dynamic ? expandAll(raw, used) : fillValues(raw, used)
  const loose = triggered || options?.substitutionOption === 'ALLOW_LOOSE'

  const fill = (template: string, path: Path): string =>
    substitute(template, (key) => {
      used.add(key)
      if (Object.hasOwn(values, key)) return values[key]
      if (!key.startsWith('_') && !BUILT_INS.has(key))
        problems.push(
          `${locate(path)}: key in the template "${key}" is not a valid built-in substitution. Write $$${key} for a shell variable.`,
        )
      else if (key.startsWith('_') && !loose)
        problems.push(
          `${locate(path)}: key in the template "${key}" is not matched in the substitution data. Give it with --substitutions=${key}=…`,
        )
      return ''
    })
  const filled = fillBuild(config, fill)

  const automaps = options?.automapSubstitutions || config.steps.some((step) => step.automapSubstitutions)
  if (!loose && !automaps)
    for (const key of Object.keys(given))
      if (key.startsWith('_') && !used.has(key))
        problems.push(`${locate(['substitutions', key], 'key')}: key "${key}" in the substitution data is not matched in the template.`)
  if (problems.length > 0)
    throw new AppError('invalid', 'The substitutions of this build do not work out.', { problems: [...new Set(problems)] })
  return { config: filled, values }
}

function checkGiven(given: Readonly<Record<string, string>>, problems: string[], locate: Locate): void {
  const keys = Object.keys(given)
  if (keys.length > LIMITS.substitutions) problems.push(`${locate(['substitutions'])}: at most ${LIMITS.substitutions} substitutions.`)
  for (const key of keys) {
    const place = locate(['substitutions', key], 'key')
    if (FIXED.includes(key)) problems.push(`${place}: "${key}" is set by the platform and cannot be overridden.`)
    else if (!/^_[A-Z0-9_]+$/.test(key) && !BUILT_INS.has(key))
      problems.push(`${place}: substitution key "${key}" does not respect the format "^_[A-Z0-9_]+$". Begin it with "_", in capitals.`)
    if (key.length > LIMITS.substitutionKeyLength) problems.push(`${place}: longer than ${LIMITS.substitutionKeyLength} characters.`)
    if ((given[key] ?? '').length > LIMITS.substitutionValueLength)
      problems.push(`${place}: its value is longer than ${LIMITS.substitutionValueLength} characters.`)
  }
}

/** Without `dynamicSubstitutions` a value may hold other keys, filled once and not again. */
function fillValues(raw: Readonly<Record<string, string>>, used: Set<string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(raw).map(([key, value]) => [
      key,
      value.replace(TEMPLATE, (match, braced?: string, bare?: string) => {
        const other = braced ?? bare
        if (other === undefined || !Object.hasOwn(raw, other)) return match
        used.add(other)
        return raw[other] ?? ''
      }),
    ]),
  )
}

/** Every field that templates are filled in, and no other: `script` sees the environment only. */
function fillBuild(config: BuildConfig, fill: (template: string, path: Path) => string): BuildConfig {
  const list = (values: string[] | undefined, ...path: Path) => values?.map((value, i) => fill(value, [...path, i]))
  const text = (value: string | undefined, ...path: Path) => (value === undefined ? undefined : fill(value, path))
  const { artifacts, options } = config
  return withoutUndefined({
    ...config,
    steps: config.steps.map((step, i) =>
      withoutUndefined({
        ...step,
        name: fill(step.name, ['steps', i, 'name']),
        args: list(step.args, 'steps', i, 'args'),
        env: list(step.env, 'steps', i, 'env'),
        dir: text(step.dir, 'steps', i, 'dir'),
        entrypoint: text(step.entrypoint, 'steps', i, 'entrypoint'),
      }),
    ),
    images: list(config.images, 'images'),
    tags: list(config.tags, 'tags'),
    logsBucket: text(config.logsBucket, 'logsBucket'),
    serviceAccount: text(config.serviceAccount, 'serviceAccount'),
    options: options && withoutUndefined({ ...options, env: list(options.env, 'options', 'env') }),
    artifacts:
      artifacts &&
      withoutUndefined({
        ...artifacts,
        images: list(artifacts.images, 'artifacts', 'images'),
        objects:
          artifacts.objects &&
          withoutUndefined({
            location: text(artifacts.objects.location, 'artifacts', 'objects', 'location'),
            paths: list(artifacts.objects.paths, 'artifacts', 'objects', 'paths'),
          }),
      }),
  }) as BuildConfig
}

const withoutUndefined = <T extends object>(value: T): T =>
  Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as T
