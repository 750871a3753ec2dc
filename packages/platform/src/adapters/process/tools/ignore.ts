/** Which files of a folder are left out of an archive: the rules of `.gcloudignore`, which are those of `.gitignore`. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Used when a folder has no `.gcloudignore`, as gcloud does. */
const DEFAULT_RULES = '.gcloudignore\n.git\n.gitignore\n#!include:.gitignore\n'

/** Whether a path below the folder (with `/`, folders without one at their end) is left out. A folder that is left out takes all below it along. */
export type Ignores = (path: string, isDirectory: boolean) => boolean

interface Rule {
  readonly pattern: RegExp
  readonly onlyDirectories: boolean
  readonly keeps: boolean
}

/** The rules of `directory`; `file` names another file than `.gcloudignore`. */
export function ignoresOf(directory: string, file = '.gcloudignore'): Ignores {
  const path = join(directory, file)
  const rules = readRules(existsSync(path) ? readFileSync(path, 'utf8') : DEFAULT_RULES, directory)
  return (name, isDirectory) => {
    let ignored = false
    for (const { pattern, onlyDirectories, keeps } of rules) if ((isDirectory || !onlyDirectories) && pattern.test(name)) ignored = !keeps
    return ignored
  }
}

function readRules(text: string, directory: string): Rule[] {
  return text.split(/\r?\n/).flatMap((line): Rule[] => {
    const [, included] = /^#!include:(.+)$/.exec(line) ?? []
    if (included) {
      const path = join(directory, included.trim())
      return existsSync(path) ? readRules(readFileSync(path, 'utf8'), directory) : []
    }
    const rule = line.startsWith('#') ? '' : line.replace(/(?<!\\)\s+$/, '')
    return rule === '' ? [] : [readRule(rule)]
  })
}

function readRule(line: string): Rule {
  const keeps = line.startsWith('!')
  const glob = line.replace(/^!/, '').replace(/^\\(?=[!#])/, '')
  const onlyDirectories = glob.endsWith('/')
  const body = glob.replace(/\/+$/, '')
  // A slash that is not the last one ties the rule to the folder itself; else it counts at any depth.
  const anchored = body.includes('/')
  return { pattern: new RegExp(`${anchored ? '^' : '(?:^|/)'}${toPattern(body.replace(/^\//, ''))}$`), onlyDirectories, keeps }
}

function toPattern(glob: string): string {
  return glob.replace(/\*\*\/|\/\*\*$|\*\*|\*|\?|\[[^\]]*\]|\\.|[\\^$.|+(){}]/g, (part) => {
    if (part === '**/') return '(?:[^/]+/)*'
    if (part === '/**') return '/.+'
    if (part === '**') return '.*'
    if (part === '*') return '[^/]*'
    if (part === '?') return '[^/]'
    if (part.startsWith('[')) return part.replace(/^\[!/, '[^')
    return part.length === 2 ? part.replace(/\\([a-z0-9])/i, '$1') : `\\${part}`
  })
}
