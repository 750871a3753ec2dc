/** What the page asks of the platform. Everything here is an HTTP call that any other client can make. */
import { createContext, use } from 'react'
import type { Refresh } from '../../../platform/src/refreshes/refresh.ts'

export type * from '../../../platform/src/refreshes/refresh.ts'

export interface Account {
  readonly name: string
  readonly role: string
  readonly project: string
}

export type Environment = 'staging' | 'production'

/** Whose log: a task's, a build's or a revision's. */
export type LogSource =
  | { readonly kind: 'task'; readonly dagId: string; readonly runId: string; readonly taskId: string; readonly tryNumber: number }
  /** `step`: only what this step of the build says. */
  | { readonly kind: 'build'; readonly buildId: string; readonly step: number | null }
  | { readonly kind: 'revision'; readonly service: string; readonly revision: string }

export interface LogReader {
  /** All of the log so far, each time there is more of it. */
  onText(text: string): void
  /** While true the log is asked for again when it ends. */
  isGrowing(): boolean
  readonly signal: AbortSignal
}

export type Liveness = 'connecting' | 'live' | 'lost'

export interface Watcher {
  onRefreshes(refreshes: readonly Refresh[]): void
  onLiveness(liveness: Liveness): void
  onLoggedOut(): void
}

export interface Answer {
  readonly probability: number | null
  readonly willBuy: boolean | null
  readonly milliseconds: number
}

/** How a deployed service says that it is. */
export interface Health {
  /** The model it answers from, where it tells. */
  readonly model: { readonly name: string; readonly version: string } | null
  /** Null of one that answers. */
  readonly problem: string | null
}

export interface Platform {
  /** Set when this is a told story and no platform. */
  readonly cannedName: string | null
  /** Null for a stranger. */
  account(): Promise<Account | null>
  login(name: string, password: string): Promise<Account>
  logout(): Promise<void>
  /** Tells the newest refreshes and every change of them until the answered function is called. */
  watch(watcher: Watcher): () => void
  followLog(source: LogSource, reader: LogReader): Promise<void>
  /** Whether the weekly schedule of the environment is switched off (its DAG is paused). */
  isScheduleOff(environment: Environment): Promise<boolean>
  /** Answers the id of the refresh that will appear; switches the schedule on where it is off. */
  startRefresh(environment: Environment): Promise<string>
  health(service: string, signal: AbortSignal): Promise<Health>
  predict(service: string, row: Readonly<Record<string, unknown>>): Promise<Answer>
}

/** Something that did not work, in words that say what to do. */
export class PlatformError extends Error {
  readonly status: number
  readonly problems: readonly string[]

  constructor(status: number, message: string, problems: readonly string[] = []) {
    super(message)
    this.status = status
    this.problems = problems
  }
}

export const asPlatformError = (error: unknown): PlatformError =>
  error instanceof PlatformError ? error : new PlatformError(0, error instanceof Error ? error.message : String(error))

export const PlatformContext = createContext<Platform | null>(null)

export function usePlatform(): Platform {
  const platform = use(PlatformContext)
  if (!platform) throw new Error('There is no platform around this component. Put it inside PlatformContext.')
  return platform
}
