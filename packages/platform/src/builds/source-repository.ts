/** The port to the repositories that builds come from, and which commit of them a request means. */
import { AppError, didYouMean } from '../core/app-error.ts'
import type { RepoSource } from './build.ts'
import { matchesPattern } from './trigger.ts'

export interface SourceRepositories {
  /** Full names of branches and tags to their commits; null when there is no such repository. */
  refs(repository: string): Promise<ReadonlyMap<string, string> | null>
  /** The full name of a commit; null when it is not there. */
  findCommit(repository: string, revision: string): Promise<string | null>
  /** The text of a file in a commit; null when it is not there. */
  readFile(repository: string, commitSha: string, path: string): Promise<string | null>
  /** Paths that differ between two commits; empty when that cannot be said (a new branch). */
  changedFiles(repository: string, before: string, after: string): Promise<string[]>
}

/** A commit, and the branch or tag by which it was reached. */
export interface Revision {
  readonly repository: string
  readonly commitSha: string
  readonly branch: string | null
  readonly tag: string | null
}

/** The commit that `source` means: a commit of its own, or the tip of a branch or tag, by name or by regular expression (RE2). Throws `not_found`. */
export async function resolveRevision(repositories: SourceRepositories, source: RepoSource): Promise<Revision> {
  const { repoName: repository = '', branchName, tagName, commitSha } = source
  const refs = await repositories.refs(repository)
  if (!refs) throw new AppError('not_found', `There is no repository "${repository}".`)
  if (commitSha) {
    const found = await repositories.findCommit(repository, commitSha)
    if (!found) throw new AppError('not_found', `There is no commit "${commitSha}" in repository "${repository}".`)
    return { repository, commitSha: found, branch: branchName ?? null, tag: tagName ?? null }
  }
  const [prefix, wanted] = tagName ? ['refs/tags/', tagName] : ['refs/heads/', branchName ?? '']
  const names = [...refs.keys()].filter((ref) => ref.startsWith(prefix)).map((ref) => ref.slice(prefix.length))
  const name = names.includes(wanted) ? wanted : names.find((candidate) => wanted !== '' && matches(wanted, candidate))
  const found = name === undefined ? undefined : refs.get(prefix + name)
  if (name === undefined || found === undefined)
    throw new AppError(
      'not_found',
      `Repository "${repository}" has no ${tagName ? 'tag' : 'branch'} "${wanted}". It has: ${names.join(', ') || 'none'}.${didYouMean(wanted, names)}`,
    )
  const commit = (await repositories.findCommit(repository, found)) ?? found
  return { repository, commitSha: commit, branch: tagName ? null : name, tag: tagName ? name : null }
}

function matches(pattern: string, name: string): boolean {
  try {
    return matchesPattern(pattern, name)
  } catch {
    return false
  }
}
