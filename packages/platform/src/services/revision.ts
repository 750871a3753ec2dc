/** Revisions: one image with its settings, as it was deployed; immutable but for its state. */
import { AppError } from '../core/app-error.ts'
import type { Probe } from './readiness.ts'

/** What a revision is made from. */
export interface Template {
  readonly image: string
  /** Instead of the image's entry point and arguments; empty means the image's own. */
  readonly command: readonly string[]
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** The port that the container is said to listen on; it is told the real one in PORT. */
  readonly port: number
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  /** How long one request may take. */
  readonly timeoutSeconds: number
  readonly probe: Probe
}

export type RevisionState = 'deploying' | 'ready' | 'failed' | 'draining' | 'retired'

export interface Revision {
  readonly name: string
  readonly service: string
  readonly uid: string
  readonly generation: number
  /** Its image is pinned: `…@sha256:…`. */
  readonly template: Template
  readonly state: RevisionState
  /** Why it failed; null otherwise. */
  readonly detail: string | null
  readonly createdBy: string
  readonly createdAt: string
  readonly updatedAt: string
}

/**
 * deploying: its process starts, or starts again after a crash or for a rollback. ready: it answers. draining: it finishes what it has
 * begun. retired: stopped, kept for a rollback. failed: it never became ready.
 */
export const REVISION_MOVES: Readonly<Record<RevisionState, readonly RevisionState[]>> = {
  deploying: ['ready', 'failed', 'retired'],
  ready: ['draining', 'deploying', 'retired'],
  draining: ['retired', 'ready', 'deploying'],
  retired: ['deploying'],
  failed: ['deploying', 'retired'],
}

/** The revision in `state`; throws `internal` for a move that the table does not allow. */
export function moveRevision(revision: Revision, state: RevisionState, detail: string | null, now: Date): Revision {
  if (revision.state !== state && !REVISION_MOVES[revision.state].includes(state))
    throw new AppError('internal', `Revision "${revision.name}" cannot go from ${revision.state} to ${state}.`)
  return { ...revision, state, detail, updatedAt: now.toISOString() }
}

/** Whether a process of it may be there. */
export const isAtWork = ({ state }: Revision): boolean => state !== 'retired' && state !== 'failed'

/** `SERVICE-00007-abc`: the generation keeps the order, the suffix keeps a deleted service's names apart. */
export const revisionName = (service: string, generation: number, suffix: string): string =>
  `${service}-${String(generation).padStart(5, '0')}-${suffix}`

export interface Launch {
  readonly revision: Revision
  /** All of the environment that the contract promises, and the template's own. */
  readonly environment: Readonly<Record<string, string>>
}

export interface RunningRevision {
  readonly host: string
  readonly port: number
  /** Resolves, with how it ended in words, when the process is gone. */
  readonly exited: Promise<string>
  /** One try of the startup probe. */
  probe(probe: Probe, signal: AbortSignal): Promise<boolean>
  /** SIGTERM, and SIGKILL after `graceMs`; resolves when it is gone. */
  stop(graceMs: number): Promise<void>
}

/** What runs revisions: processes on this machine, containers, a cloud. */
export interface RevisionDriver {
  /** Ends what an earlier platform process left running. */
  sweep(): Promise<void>
  /** The image with its digest instead of its tag; throws `not_found`. */
  resolveImage(image: string): Promise<string>
  /** Fetches the image if need be and starts it; it is not ready yet. */
  start(launch: Launch, signal: AbortSignal): Promise<RunningRevision>
  /** Where its standard output and error are kept. */
  logFile(revision: string): string
  /** Forgets its files, which its next start fetches again; its log stays. It must not run. */
  unload(revision: string): Promise<void>
  /** Forgets its files and its log. */
  remove(revision: string): Promise<void>
}
