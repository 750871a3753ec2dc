/** Repositories as bare directories, read with git: for the repositories room, and for builds that come from them. */
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { SourceRepositories } from '../../builds/source-repository.ts'
import { AppError } from '../../core/app-error.ts'
import { NO_COMMIT } from '../../repositories/push.ts'
import { type Refs, type Repository, type RepositoryStore, type Seed, validateName } from '../../repositories/repository.ts'
import type { Git } from './git.ts'

/** The same files make the same commit on every machine. */
const SEED_DATE = '2025-01-01T00:00:00+0000'
const NEVER_SEEDED = 'node_modules/\n.git/\n.DS_Store\n'

export class GitRepositoryStore implements RepositoryStore, SourceRepositories {
  #git: Git

  constructor(git: Git) {
    this.#git = git
  }

  async find(name: string): Promise<Repository | null> {
    return this.#exists(name) ? { name } : null
  }

  async list(): Promise<Repository[]> {
    const entries = await readdir(this.#git.directory)
    return entries
      .filter((entry) => entry.endsWith('.git') && !entry.startsWith('.'))
      .map((entry) => ({ name: entry.slice(0, -'.git'.length) }))
      .sort((a, b) => a.name.localeCompare(b.name))
  }

  create(name: string): Promise<Repository> {
    return this.#make(name, 'master', async () => {})
  }

  async seed({ name, directory, branches, author, message = 'Start' }: Seed): Promise<boolean> {
    if (this.#exists(name)) return false
    const head = branches.includes('master') ? 'master' : (branches[0] ?? 'master')
    await this.#make(name, head, async (path) => {
      const [, person = author, address = ''] = /^(.*?)\s*<(.*)>$/.exec(author) ?? []
      const environment = {
        GIT_DIR: path,
        GIT_WORK_TREE: directory,
        GIT_INDEX_FILE: join(path, 'seed-index'),
        GIT_AUTHOR_NAME: person,
        GIT_AUTHOR_EMAIL: address,
        GIT_AUTHOR_DATE: SEED_DATE,
        GIT_COMMITTER_NAME: person,
        GIT_COMMITTER_EMAIL: address,
        GIT_COMMITTER_DATE: SEED_DATE,
      }
      await this.#git.mustRun(['-C', directory, '-c', `core.excludesFile=${await this.#excludes(path)}`, 'add', '--all', '.'], {
        environment,
      })
      const tree = (await this.#git.mustRun(['write-tree'], { environment })).trim()
      const commit = (await this.#git.mustRun(['commit-tree', tree], { environment, input: `${message}\n` })).trim()
      for (const branch of branches) await this.#git.mustRun(['update-ref', `refs/heads/${branch}`, commit], { environment })
      await rm(environment.GIT_INDEX_FILE)
    })
    return true
  }

  async refs(name: string): Promise<Refs | null> {
    if (!this.#exists(name)) return null
    const output = await this.#git.mustRun(['for-each-ref', '--format=%(objectname) %(refname)', 'refs/heads', 'refs/tags'], {
      repository: name,
    })
    return new Map(
      output
        .split('\n')
        .filter((line) => line !== '')
        .map((line): [string, string] => [line.slice(line.indexOf(' ') + 1), line.slice(0, line.indexOf(' '))]),
    )
  }

  async findCommit(name: string, revision: string): Promise<string | null> {
    if (!this.#exists(name) || !/^[0-9a-f]{4,64}$/.test(revision)) return null
    const { status, output } = await this.#git.run(['rev-parse', '--verify', '--quiet', `${revision}^{commit}`], { repository: name })
    return status === 0 ? output.trim() : null
  }

  async readFile(name: string, commitSha: string, path: string): Promise<string | null> {
    const { status, output } = await this.#git.run(['cat-file', 'blob', `${commitSha}:${path}`], { repository: name })
    return status === 0 ? output : null
  }

  async changedFiles(name: string, before: string, after: string): Promise<string[]> {
    if (before === NO_COMMIT) return []
    const { status, output } = await this.#git.run(['diff-tree', '-r', '-z', '--name-only', '--no-commit-id', before, after, '--'], {
      repository: name,
    })
    return status === 0 ? output.split('\0').filter((path) => path !== '') : []
  }

  #exists = (name: string): boolean => existsSync(this.#git.path(validateName(name)))

  /** Made beside and moved into place, so that a repository is there as a whole or not at all. */
  async #make(name: string, head: string, fill: (path: string) => Promise<void>): Promise<Repository> {
    const path = this.#git.path(validateName(name))
    const conflict = () => new AppError('conflict', `There is a repository "${name}" already.`)
    if (existsSync(path)) throw conflict()
    const temporary = await mkdtemp(join(this.#git.directory, '.new-'))
    try {
      await this.#git.mustRun(['init', '--quiet', '--bare', '--template=', `--initial-branch=${head}`, temporary])
      await fill(temporary)
      await rename(temporary, path)
    } catch (error) {
      await rm(temporary, { recursive: true, force: true })
      if ((error as { code?: string }).code === 'ENOTEMPTY') throw conflict()
      throw error
    }
    return { name }
  }

  async #excludes(path: string): Promise<string> {
    const file = join(path, 'seed-excludes')
    await writeFile(file, NEVER_SEEDED)
    return file
  }
}
