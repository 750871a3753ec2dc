/** A trigger: which pushes of which repository start a build, and from which file of the pushed commit. Field names are those of Cloud Build. */
import { RE2JS } from 're2js'
import { AppError } from '../core/app-error.ts'
import type { BuildConfig, RepoSource } from './build.ts'
import { collector, locateInRequest, readBuildRequest } from './config.ts'
import { OUTPUT_ONLY, REPO_SOURCE, TRIGGER } from './config-schema.ts'
import { readFields } from './read-fields.ts'

export interface Trigger {
  readonly id: string
  readonly projectId: string
  name: string
  description?: string
  tags?: string[]
  /** `branchName` or `tagName` is a regular expression (RE2). */
  triggerTemplate: RepoSource & { invertRegex?: boolean }
  filename?: string
  /** The build itself, where no file says it. */
  build?: BuildConfig
  disabled?: boolean
  substitutions?: Record<string, string>
  includedFiles?: string[]
  ignoredFiles?: string[]
  readonly createTime: string
  readonly createdBy: string
}

export const DEFAULT_FILE = 'cloudbuild.yaml'

export interface TriggerStore {
  /** By id or by name. */
  find(projectId: string, idOrName: string): Promise<Trigger | null>
  list(projectId: string): Promise<Trigger[]>
  create(trigger: Trigger): Promise<void>
  update(trigger: Trigger): Promise<void>
  delete(id: string): Promise<void>
}

/** What a client may say of a trigger. Throws `invalid` with every problem. */
export function readTrigger(body: unknown): Omit<Trigger, 'id' | 'projectId' | 'createTime' | 'createdBy'> {
  const problems: string[] = []
  const report = collector(problems, locateInRequest)
  const trigger = readFields(body, TRIGGER, 'a trigger', [], report, OUTPUT_ONLY) as unknown as Trigger
  if (!/^[A-Za-z0-9][A-Za-z0-9-]{0,63}$/.test(trigger.name ?? ''))
    report(['name'], 'value', `"${trigger.name ?? ''}" is not a name for a trigger: 1 to 64 letters, digits and "-".`)
  const { repoName, branchName, tagName } = trigger.triggerTemplate ?? {}
  if (!repoName) report(['triggerTemplate', 'repoName'], 'value', 'A trigger needs the repository that it watches.')
  if ((branchName === undefined) === (tagName === undefined))
    report(['triggerTemplate'], 'value', 'A trigger watches either branches (branchName) or tags (tagName).')
  for (const field of ['branchName', 'tagName'] as const) {
    const pattern = trigger.triggerTemplate?.[field]
    if (pattern !== undefined && !isPattern(pattern))
      report(['triggerTemplate', field], 'value', `"${pattern}" is not a regular expression (RE2).`)
  }
  for (const key of Object.keys(trigger.substitutions ?? {}))
    if (!/^_[A-Z0-9_]+$/.test(key)) report(['substitutions', key], 'key', `"${key}" does not respect the format "^_[A-Z0-9_]+$".`)
  if (trigger.build) {
    try {
      trigger.build = readBuildRequest(trigger.build).config
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      problems.push(...error.problems.map((problem) => `build.${problem}`))
    }
  }
  if (problems.length > 0) throw new AppError('invalid', 'The request does not describe a trigger.', { problems })
  return trigger
}

/** The source that `:run` asks for. */
export function readRepoSource(body: unknown): RepoSource {
  const problems: string[] = []
  const source = readFields(body ?? {}, REPO_SOURCE, 'a source', [], collector(problems, locateInRequest)) as RepoSource
  if (problems.length > 0) throw new AppError('invalid', 'The source to run cannot be read.', { problems })
  return source
}

/** Whether a push of `ref` (`refs/heads/…`, `refs/tags/…`) to `repository` is one that this trigger watches. Files are another question. */
export function watches(trigger: Trigger, repository: string, ref: string): boolean {
  const { repoName, branchName, tagName, invertRegex = false } = trigger.triggerTemplate
  if (trigger.disabled || repoName !== repository) return false
  const [prefix, pattern] = branchName !== undefined ? ['refs/heads/', branchName] : ['refs/tags/', tagName ?? '']
  return ref.startsWith(prefix) && matchesPattern(pattern, ref.slice(prefix.length)) !== invertRegex
}

/** Found anywhere in the name, as Cloud Build matches: `^staging$` is exactly staging. */
export const matchesPattern = (pattern: string, name: string): boolean => RE2JS.compile(pattern).matcher(name).find()

function isPattern(pattern: string): boolean {
  try {
    RE2JS.compile(pattern)
    return true
  } catch {
    return false
  }
}

/** Whether the files that changed concern the trigger: what is ignored does not count; then, if it includes files, one of them must be among the rest. */
export function concerns({ includedFiles = [], ignoredFiles = [] }: Trigger, changedFiles: readonly string[]): boolean {
  if (changedFiles.length === 0) return true
  const remaining = changedFiles.filter((file) => !ignoredFiles.some((glob) => matchesFile(glob, file)))
  if (remaining.length === 0) return false
  return includedFiles.length === 0 || remaining.some((file) => includedFiles.some((glob) => matchesFile(glob, file)))
}

/** Go's `filepath.Match` with `**` for any number of folders. */
export function matchesFile(glob: string, file: string): boolean {
  let pattern = ''
  for (let i = 0; i < glob.length; i++) {
    const character = glob[i] ?? ''
    if (glob.startsWith('**/', i)) {
      pattern += '(?:.*/)?'
      i += 2
    } else if (glob.startsWith('**', i)) {
      pattern += '.*'
      i++
    } else if (character === '*') pattern += '[^/]*'
    else if (character === '?') pattern += '[^/]'
    else pattern += character.replace(/[\\^$.|+()[\]{}]/, '\\$&')
  }
  return RE2JS.compile(`^${pattern}$`, RE2JS.DOTALL).matcher(file).find()
}
