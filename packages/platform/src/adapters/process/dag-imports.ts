/** Inside a child process: how DAG files find our packages, and which files they bring along. */
import { realpathSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { type FileStamps, fileStamp } from './file-stamp.ts'
import { quotedLine } from './quoted-line.ts'

/** By the file that imports: what, and under which name. */
const imports = new Map<string, Map<string, string>>()
/** What could not be found, by the error that says so. */
const missing = new WeakMap<object, { readonly from: string; readonly specifier: string }>()
/** Taken before a file is read, so that a change in between is not missed. */
const stamps = new Map<string, string>()

let count = 0
let startsProcesses = false

/** Another number whenever something was imported. */
export const importsCount = (): number => count

/** Whether what was imported may have started processes whose words come by another way than its own. */
export const mayStillSpeak = (): boolean => startsProcesses

/** From here on, imports of `@daggerboard/…` that a DAG folder does not have itself are ours, and every import is remembered. */
export function followImports(): void {
  registerHooks({
    resolve(specifier, context, nextResolve) {
      const found = tryTo(() => resolveOrOwn(specifier, context, nextResolve), context.parentURL, specifier)
      count += 1
      startsProcesses ||= /^(node:)?(child_process|worker_threads|cluster)$/.test(specifier)
      const to = withoutQuery(found.url)
      if (isAuthored(to) && !stamps.has(to)) stamps.set(to, fileStamp(fileURLToPath(to)))
      if (context.parentURL) {
        const from = withoutQuery(context.parentURL)
        imports.set(from, (imports.get(from) ?? new Map()).set(to, specifier))
      }
      return found
    },
  })
}

function tryTo<T>(resolve: () => T, from: string | undefined, specifier: string): T {
  try {
    return resolve()
  } catch (error) {
    if (from !== undefined && error instanceof Error) missing.set(error, { from: withoutQuery(from), specifier })
    throw error
  }
}

type Resolve = NonNullable<Parameters<typeof registerHooks>[0]['resolve']>

function resolveOrOwn(...[specifier, context, nextResolve]: Parameters<Resolve>): ReturnType<Resolve> {
  try {
    return nextResolve(specifier, context)
  } catch (error) {
    if (!specifier.startsWith('@daggerboard/')) throw error
    return nextResolve(specifier, { ...context, parentURL: import.meta.url })
  }
}

/** `url` and the files that it imports, directly or not, apart from installed packages, as they were when they were read. */
export function importsOf(url: string): FileStamps {
  const real = behindLinks(url)
  const found = new Set([real])
  for (const from of found) for (const to of imports.get(from)?.keys() ?? []) if (isAuthored(to)) found.add(to)
  const stampOf = (file: string) => stamps.get(file) ?? ''
  return { [fileURLToPath(url)]: stampOf(real), ...Object.fromEntries([...found].map((file) => [fileURLToPath(file), stampOf(file)])) }
}

/** Modules are known by the files that links lead to. */
function behindLinks(url: string): string {
  try {
    return pathToFileURL(realpathSync(fileURLToPath(url))).href
  } catch {
    return url
  }
}

const isAuthored = (url: string): boolean => url.startsWith('file:') && !url.includes('/node_modules/')

const withoutQuery = (url: string): string => url.replace(/[?#].*$/, '')

/** The line in `url` at which `error` arose: where it does not parse, where it imports what is not there, or the innermost frame of the stack in that file. */
export function lineIn(url: string, source: string, error: unknown): number | null {
  const real = behindLinks(url)
  const absent = error instanceof Error ? missing.get(error) : undefined
  if (absent) return quotedLine(source, absent.from === real ? absent.specifier : specifierTowards(real, absent.from))
  const stack = error instanceof Error ? `${error.stack ?? ''}` : ''
  for (const name of [real, fileURLToPath(real)]) {
    const start = stack.indexOf(`${name}:`)
    const line = start === -1 ? Number.NaN : Number.parseInt(stack.slice(start + name.length + 1), 10)
    if (line > 0) return line
  }
  return null
}

/** Under which name `url` imports the file that leads to `goal`. */
function specifierTowards(url: string, goal: string): string {
  const leads = (from: string, seen: Set<string>): boolean => {
    if (from === goal) return true
    if (seen.has(from)) return false
    seen.add(from)
    return [...(imports.get(from)?.keys() ?? [])].some((to) => leads(to, seen))
  }
  for (const [to, specifier] of imports.get(url) ?? []) if (leads(to, new Set([url]))) return specifier
  return ''
}
