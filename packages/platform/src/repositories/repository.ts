/** A hosted git repository: its name, and what the room needs of git. */
import { AppError } from '../core/app-error.ts'

export interface Repository {
  readonly name: string
}

/** Branch and tag names in full (`refs/heads/master`) to commits. */
export type Refs = ReadonlyMap<string, string>

export interface Seed {
  readonly name: string
  /** The folder whose files (without those that its .gitignore names) become the first commit. */
  readonly directory: string
  /** All of them point at that commit; HEAD at `master` if it is among them, else at the first. */
  readonly branches: readonly string[]
  /** `Name <address>`. */
  readonly author: string
  readonly message?: string
}

export interface RepositoryStore {
  find(name: string): Promise<Repository | null>
  list(): Promise<Repository[]>
  /** Throws `conflict` when there is one of that name. */
  create(name: string): Promise<Repository>
  /** Creates a repository from a folder of files, unless there is one of that name. Answers whether it did. */
  seed(seed: Seed): Promise<boolean>
  /** Null when there is no such repository. */
  refs(name: string): Promise<Refs | null>
}

/** Throws `invalid` unless `name` can be a repository's: it becomes a folder, so it may hold no path. */
export function validateName(name: string): string {
  if (!/^[A-Za-z0-9_][\w.-]{0,127}$/.test(name) || name.includes('..') || /\.(git|lock)$/.test(name))
    throw new AppError(
      'invalid',
      `"${name}" cannot be the name of a repository: 1 to 128 letters, digits, "_", "-" and ".", not ending in .git or .lock.`,
    )
  return name
}
