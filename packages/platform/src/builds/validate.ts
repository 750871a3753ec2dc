/** What a build must keep to beyond its shape: limits, unique ids, steps that wait for earlier ones, durations. */
import { didYouMean } from '../core/app-error.ts'
import type { BuildConfig, StepConfig } from './build.ts'
import { parseDuration } from './duration.ts'
import { DEFAULT_TIMEOUT_MS, LIMITS } from './limits.ts'
import type { Path, Report } from './read-fields.ts'

/** Reports every problem. Nothing is changed. */
export function validateBuild(config: BuildConfig, report: Report): void {
  const steps = config.steps ?? []
  if (steps.length === 0) report(['steps'], 'value', 'A build needs at least one step.')
  if (steps.length > LIMITS.steps) report(['steps'], 'value', `A build has at most ${LIMITS.steps} steps, this one has ${steps.length}.`)
  const timeoutMs = duration(config.timeout, ['timeout'], LIMITS.timeoutMs, 'the limit of 24 hours', report) ?? DEFAULT_TIMEOUT_MS
  duration(config.queueTtl, ['queueTtl'], Number.POSITIVE_INFINITY, '', report)
  steps.forEach((step, i) => {
    validateStep(step, i, report)
    duration(step.timeout, ['steps', i, 'timeout'], timeoutMs, `the build's own timeout`, report)
  })
  validateGraph(steps, report)
  validateVolumes(config, report)
  validateNames(config, report)
  validateEnv(config.options?.env, ['options', 'env'], report)
  oneOf(config.options?.substitutionOption, ['MUST_MATCH', 'ALLOW_LOOSE'], ['options', 'substitutionOption'], report)
  const bytes = Buffer.byteLength(JSON.stringify(config))
  if (bytes > LIMITS.messageBytes)
    report(
      [],
      'value',
      `A build is at most ${LIMITS.messageBytes} bytes long, this one has ${bytes}. Move long scripts into files of the source.`,
    )
}

function validateStep(step: StepConfig, i: number, report: Report): void {
  const at = (...rest: Path): Path => ['steps', i, ...rest]
  if (!step.name) report(at('name'), 'value', `build step ${i} needs a name: the image that it runs in.`)
  else if (step.name.length > LIMITS.nameLength) report(at('name'), 'value', `build step ${i} name too long (max: ${LIMITS.nameLength})`)
  const { args = [], env = [], dir = '' } = step
  if (args.length > LIMITS.args) report(at('args'), 'value', `build step ${i} too many args (max: ${LIMITS.args})`)
  args.forEach((arg, j) => {
    if (arg.length > LIMITS.argLength) report(at('args', j), 'value', `build step ${i} arg ${j} too long (max: ${LIMITS.argLength})`)
  })
  if (env.length > LIMITS.env) report(at('env'), 'value', `build step ${i} too many env variables (max: ${LIMITS.env})`)
  if (dir.length > LIMITS.dirLength) report(at('dir'), 'value', `build step ${i} dir too long (max: ${LIMITS.dirLength})`)
  if (dir.split('/').includes('..')) report(at('dir'), 'value', `build step ${i} dir "${dir}" may not go up with "..".`)
  if (step.script !== undefined && (step.args !== undefined || step.entrypoint !== undefined))
    report(at('script'), 'key', `build step ${i} has a script; then it may have neither args nor entrypoint.`)
  validateEnv(env, at('env'), report)
}

function validateEnv(env: readonly string[] | undefined, path: Path, report: Report): void {
  env?.forEach((entry, j) => {
    if (!/^[A-Za-z_][^=]*=/.test(entry)) report([...path, j], 'value', `"${entry.slice(0, 40)}" is not KEY=VALUE.`)
    else if (entry.length > LIMITS.envLength) report([...path, j], 'value', `This variable is too long (max: ${LIMITS.envLength}).`)
  })
}

/** Ids are unique, and a step waits only for steps before it, so the graph cannot go in a circle. */
function validateGraph(steps: readonly StepConfig[], report: Report): void {
  const defined = new Set<string>()
  steps.forEach((step, i) => {
    step.waitFor?.forEach((id, j) => {
      if (id !== '-' && !defined.has(id))
        report(
          ['steps', i, 'waitFor', j],
          'value',
          `build step #${i} - "${step.id ?? ''}" depends on "${id}", which has not been defined before it.${didYouMean(id, defined)}`,
        )
    })
    if (step.id === undefined) return
    if (step.id === '-') report(['steps', i, 'id'], 'value', `build step #${i} may not have the id "-".`)
    else if (defined.has(step.id)) report(['steps', i, 'id'], 'value', `build step #${i} - "${step.id}": the ID is not unique.`)
    defined.add(step.id)
  })
}

const RESERVED_PATHS = ['/workspace', '/builder/home', '/var/run/docker.sock']

function validateVolumes({ steps = [], options }: BuildConfig, report: Report): void {
  if (options?.volumes?.length && steps.length < 2) report(['options', 'volumes'], 'key', 'A volume of the build needs at least two steps.')
  const uses = new Map<string, number>()
  for (const step of steps) for (const { name = '' } of step.volumes ?? []) uses.set(name, (uses.get(name) ?? 0) + 1)
  steps.forEach((step, i) => {
    step.volumes?.forEach(({ name = '', path = '' }, j) => {
      const at = ['steps', i, 'volumes', j]
      if ((uses.get(name) ?? 0) < 2) report(at, 'value', `The volume "${name}" is used by only one step; at least two must share it.`)
      if (!path.startsWith('/') || RESERVED_PATHS.includes(path) || path.startsWith('/cloudbuild/'))
        report([...at, 'path'], 'value', `The volume "${name}" cannot be at "${path}": it must be absolute and not reserved.`)
    })
  })
}

function validateNames({ images = [], tags = [], artifacts }: BuildConfig, report: Report): void {
  if (images.length > LIMITS.images) report(['images'], 'value', `A build has at most ${LIMITS.images} images.`)
  if (tags.length > LIMITS.tags) report(['tags'], 'value', `A build has at most ${LIMITS.tags} tags.`)
  tags.forEach((tag, i) => {
    if (!/[$]/.test(tag) && !/^\w[\w.-]{0,127}$/.test(tag))
      report(['tags', i], 'value', `"${tag}" is not a tag: letters, digits, "_", "." and "-".`)
  })
  const { location, paths = [] } = artifacts?.objects ?? {}
  if (artifacts?.objects && !/^(gs:\/\/|\$)/.test(location ?? ''))
    report(['artifacts', 'objects', 'location'], 'value', 'It must begin with gs://.')
  if (paths.length > LIMITS.artifactPaths) report(['artifacts', 'objects', 'paths'], 'value', `At most ${LIMITS.artifactPaths} paths.`)
  paths.forEach((path, i) => {
    if (/\s/.test(path)) report(['artifacts', 'objects', 'paths', i], 'value', `"${path}" has white space in it.`)
    else if (paths.indexOf(path) < i) report(['artifacts', 'objects', 'paths', i], 'value', `"${path}" is there twice.`)
  })
}

function duration(text: string | undefined, path: Path, maximumMs: number, limit: string, report: Report): number | undefined {
  if (text === undefined) return undefined
  const ms = parseDuration(text)
  if (ms === null || ms <= 0) report(path, 'value', `"${text}" is not a duration. Write it like "900s" or "15m".`)
  else if (ms > maximumMs) report(path, 'value', `${text} is longer than ${limit}.`)
  return ms ?? undefined
}

function oneOf(value: string | undefined, allowed: readonly string[], path: Path, report: Report): void {
  if (value !== undefined && !allowed.includes(value))
    report(path, 'value', `"${value}" is not one of ${allowed.join(', ')}.${didYouMean(value, allowed)}`)
}
