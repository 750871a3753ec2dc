/** One `.daggerboardignore` or `.airflowignore`: which files of its folder, and of those below, hold no DAGs. */
import { matchesGlob } from 'node:path'
import { readPattern } from '../../core/pattern.ts'

export type IgnoreSyntax = 'glob' | 'regexp'

export const IGNORE_FILES: readonly string[] = ['.daggerboardignore', '.airflowignore']

interface Rule {
  readonly isKeep: boolean
  readonly foldersOnly: boolean
  matches(path: string): boolean
}

export class IgnoreFile {
  readonly #rules: readonly Rule[]
  readonly #known = new Map<string, boolean | null>()
  /** Lines that are no pattern of the syntax; they ignore nothing. */
  readonly problems: readonly string[]

  constructor(text: string, syntax: IgnoreSyntax) {
    const problems: string[] = []
    this.#rules = text.split(/\r?\n/).flatMap((line, index) => {
      try {
        return (syntax === 'glob' ? globRule(line) : regexpRule(line)) ?? []
      } catch (error) {
        problems.push(`line ${index + 1}: ${(error as Error).message}`)
        return []
      }
    })
    this.problems = problems
  }

  /** `path` is relative to the folder of this file, with `/`. Null: it says nothing of it. The last rule that fits counts. */
  ignores(path: string, isFolder: boolean): boolean | null {
    const key = isFolder ? `${path}/` : path
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const rule = this.#rules.findLast((each) => (isFolder || !each.foldersOnly) && each.matches(path))
    const verdict = rule ? !rule.isKeep : null
    this.#known.set(key, verdict)
    return verdict
  }
}

/** As in `.gitignore`: "#" begins a comment, "!" takes back, a "/" within the pattern binds it to this folder, one at the end means folders. */
function globRule(line: string): Rule | null {
  let pattern = line.replace(/(?<!\\)\s+$/, '')
  if (pattern === '' || pattern.startsWith('#')) return null
  const isKeep = pattern.startsWith('!')
  if (isKeep) pattern = pattern.slice(1)
  const foldersOnly = pattern.endsWith('/')
  if (foldersOnly) pattern = pattern.slice(0, -1)
  const isBound = pattern.includes('/')
  const glob = isBound ? pattern.replace(/^\//, '') : `**/${pattern}`
  return { isKeep, foldersOnly, matches: (path) => matchesGlob(path, glob) }
}

/** Searched for anywhere in the path; "#" begins a comment. */
function regexpRule(line: string): Rule | null {
  const pattern = line.replace(/\s*#.*$/, '').trim()
  if (pattern === '') return null
  const expression = readPattern(pattern)
  return { isKeep: false, foldersOnly: false, matches: (path) => expression.test(path) }
}
