/** What every child process with an author's code has in common: its flags, its environment and its end. */
import type { ChildProcess } from 'node:child_process'
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
    ([name]) =>
      !/^(DAGGERBOARD_|AIRFLOW_(CONN|VAR)_|AIRFLOW__|NODE_TEST_CONTEXT$|NODE_OPTIONS$|NODE_CHANNEL|NODE_COMPILE_CACHE$)/.test(name),
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

/** Ends a child that leads a process group, and everything that it has started in it. */
export function killTree(child: ChildProcess, signal: NodeJS.Signals = 'SIGKILL'): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, signal)
  } catch {
    // The whole group has ended already.
  }
}
