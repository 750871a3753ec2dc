/** What every child process with an author's code has in common: its flags, its environment and its end. */
import type { ChildProcess } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { type Defaults, setDefaults } from '@daggerboard/dag/defaults'

export const NODE_FLAGS: readonly string[] = [
  '--disable-warning=ExperimentalWarning',
  // A DAGs folder needs no package.json of its own.
  '--disable-warning=MODULE_TYPELESS_PACKAGE_JSON',
]

const DEFAULTS = 'DAGGERBOARD_DAG_DEFAULTS'

/** The platform's own settings and secrets stay with the platform: a task asks for Variables and Connections, and what it gets is masked. */
export function childEnvironment(own: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(DAGGERBOARD_|AIRFLOW_(CONN|VAR)_|AIRFLOW__|NODE_TEST_CONTEXT$|NODE_OPTIONS$|NODE_COMPILE_CACHE$)/.test(name),
  )
  return { ...Object.fromEntries(kept), ...own }
}

/** For `childEnvironment`: our own modules are compiled once and kept in `folder`, which more than halves the start of a child. */
export const compiledIn = (folder: string | undefined): Readonly<Record<string, string>> =>
  folder === undefined ? {} : { NODE_COMPILE_CACHE: folder }

/** For `childEnvironment`: what DAGs and tasks are that do not say it themselves. */
export const defaultsIn = (defaults: Partial<Defaults>): Readonly<Record<string, string>> => ({ [DEFAULTS]: JSON.stringify(defaults) })

/** In a child: takes over what `defaultsIn` has said, before any DAG file is read. */
export function takeDefaults(): void {
  setDefaults(JSON.parse(process.env[DEFAULTS] ?? '{}'))
  delete process.env[DEFAULTS]
}

/** Those that a process has started, and what they have, in groups of their own too, as Linux tells; elsewhere none. */
function descendantsOf(pid: number): number[] {
  try {
    const children = readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number),
    )
    return children.flatMap((child) => [child, ...descendantsOf(child)])
  } catch {
    return []
  }
}

/** Ends a child that leads a process group, and everything that it has started in it; with `reaches` also what has left the group. */
export function killTree(child: ChildProcess, signal: NodeJS.Signals = 'SIGKILL', reaches = false): void {
  if (child.pid === undefined) return
  const others = reaches && child.exitCode === null && child.signalCode === null ? descendantsOf(child.pid) : []
  for (const target of [-child.pid, ...others]) {
    try {
      process.kill(target, signal)
    } catch {
      // It has ended already.
    }
  }
}
