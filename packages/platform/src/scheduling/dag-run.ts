/** One run of a DAG for one interval of data: its facts, its states and the moves between them. Pure. */
import { AppError } from '../core/app-error.ts'
import type { AssetEvent, QueuedAssetEvent } from './asset.ts'
import type { Backfill, BackfillDate } from './backfill.ts'
import type { Cancellation } from './cancellation.ts'
import type { TaskInstance } from './task-instance.ts'
import type { CallbackCall, InstanceKey } from './task-runner.ts'
import type { TaskTry } from './task-try.ts'
import type { DueRun } from './timetable.ts'
import type { XCom } from './xcom.ts'

export type DagRunState = 'queued' | 'running' | 'success' | 'failed'

export type RunType = 'scheduled' | 'manual' | 'backfill' | 'asset_triggered' | 'asset_materialization'

export type TriggeredBy = 'timetable' | 'rest_api' | 'cli' | 'ui' | 'operator' | 'backfill' | 'asset' | 'test'

/** Instants are ISO strings in UTC. */
export interface DagRun {
  readonly dagId: string
  readonly runId: string
  readonly runType: RunType
  readonly state: DagRunState
  readonly logicalDate: string | null
  readonly dataIntervalStart: string
  readonly dataIntervalEnd: string
  readonly runAfter: string
  readonly queuedAt: string
  readonly startedAt: string | null
  readonly endedAt: string | null
  readonly conf: Readonly<Record<string, unknown>>
  readonly note: string | null
  /** Subject of the principal that triggered it; `system` for a scheduled run. */
  readonly createdBy: string
  readonly triggeredBy: TriggeredBy
  /** How often it was cleared after it had ended. */
  readonly clearNumber: number
  /** Of which backfill it is, and its place there, from 1. */
  readonly backfill: { readonly id: number; readonly ordinal: number } | null
  /** By when it has to be through, in the order of the DAG's deadlines; null where there is no such time. */
  readonly deadlines: readonly ({ readonly at: string; readonly isMissed: boolean } | null)[]
  /** When the scheduler last looked at it to some effect. */
  readonly decidedAt: string | null
  /** Counts the moves, so that a store refuses a change that was made to an older state. */
  readonly revision: number
}

export const runKey = ({ dagId, runId }: { readonly dagId: string; readonly runId: string }): string => `${dagId}/${runId}`

/** Every move that a run may make. */
export const DAG_RUN_MOVES: Readonly<Record<DagRunState, readonly DagRunState[]>> = {
  queued: ['running', 'success', 'failed'],
  running: ['success', 'failed'],
  // Cleared, or marked otherwise by hand.
  success: ['queued', 'failed'],
  failed: ['queued', 'success'],
}

export const isFinished = (state: DagRunState): boolean => state === 'success' || state === 'failed'

/** The run after its move to `state`; throws `internal` when the table does not allow it. */
export function moveRun(run: DagRun, state: DagRunState, now: Date): DagRun {
  if (!DAG_RUN_MOVES[run.state].includes(state)) {
    throw new AppError('internal', `Run "${run.runId}" of DAG "${run.dagId}" cannot go from ${run.state} to ${state}.`)
  }
  const at = now.toISOString()
  return {
    ...run,
    state,
    startedAt: state === 'running' ? at : run.startedAt,
    endedAt: isFinished(state) ? at : null,
    revision: run.revision + 1,
  }
}

/** ISO with `+00:00` and without empty fractions, as Airflow writes instants into run ids. */
export const isoOffset = (at: Date): string => at.toISOString().replace(/(\.000)?Z$/, '+00:00')

export function scheduledRun(dagId: string, due: DueRun, now: Date): DagRun {
  return {
    dagId,
    runId: `scheduled__${isoOffset(due.logicalDate)}`,
    runType: 'scheduled',
    state: 'queued',
    logicalDate: due.logicalDate.toISOString(),
    dataIntervalStart: due.interval.start.toISOString(),
    dataIntervalEnd: due.interval.end.toISOString(),
    runAfter: due.runAfter.toISOString(),
    queuedAt: now.toISOString(),
    startedAt: null,
    endedAt: null,
    conf: {},
    note: null,
    createdBy: 'system',
    triggeredBy: 'timetable',
    clearNumber: 0,
    backfill: null,
    deadlines: [],
    decidedAt: null,
    revision: 0,
  }
}

/** Which runs a list has: `~` of Airflow is leaving `dagId` out. */
export interface DagRunQuery {
  readonly dagId?: string
  readonly states?: readonly DagRunState[]
  readonly runType?: RunType
  readonly limit: number
  readonly offset: number
  /** Default `runAfter`. */
  readonly orderBy?: 'runAfter' | 'logicalDate' | 'queuedAt' | 'startedAt' | 'endedAt'
  readonly descending: boolean
}

/** Everything that one turn of the scheduler changes. */
export interface Changes {
  /** New runs. */
  readonly created: readonly DagRun[]
  /** Runs that have moved; none that is new. */
  readonly runs: readonly DagRun[]
  /** New instances. */
  readonly added: readonly TaskInstance[]
  /** Instances that have moved; none that is new. */
  readonly instances: readonly TaskInstance[]
  /** Instances that have given way to others of their task. */
  readonly deleted: readonly InstanceKey[]
  /** Tries that something has come after. */
  readonly tries: readonly TaskTry[]
  readonly xcoms: readonly XCom[]
  /** Instances that are through, after several tries, or begin anew: what was left before that instant goes. */
  readonly xcomsCleared: readonly (Pick<TaskInstance, 'dagId' | 'runId' | 'taskId' | 'mapIndex'> & { readonly before: string })[]
  /** Calls of authors' functions that are to be made, and the ids of those that have been. */
  readonly callbacks: readonly CallbackCall[]
  readonly callbacksDone: readonly string[]
  /** Waits that are to be cancelled, and the ids of those that have been. */
  readonly cancellations: readonly Cancellation[]
  readonly cancellationsDone: readonly string[]
  readonly assetEvents: readonly AssetEvent[]
  /** Events that wait for a run, and the runs that have been made of such. */
  readonly assetsQueued: readonly QueuedAssetEvent[]
  readonly assetsConsumed: readonly { readonly dagId: string; readonly runId: string; readonly events: readonly QueuedAssetEvent[] }[]
  readonly backfills: readonly Backfill[]
  readonly backfillDates: readonly BackfillDate[]
}

/** A turn in which nothing happened. */
export const NO_CHANGES: Changes = {
  created: [],
  runs: [],
  added: [],
  instances: [],
  deleted: [],
  tries: [],
  xcoms: [],
  xcomsCleared: [],
  callbacks: [],
  callbacksDone: [],
  cancellations: [],
  cancellationsDone: [],
  assetEvents: [],
  assetsQueued: [],
  assetsConsumed: [],
  backfills: [],
  backfillDates: [],
}

export interface DagRunStore {
  find(dagId: string, runId: string): Promise<DagRun | null>
  list(query: DagRunQuery): Promise<{ runs: DagRun[]; total: number }>
  /** The scheduled run with the latest interval. */
  findLatestScheduled(dagId: string): Promise<DagRun | null>
  /** The run of exactly this logical date: there is at most one. */
  findByLogicalDate(dagId: string, logicalDate: string): Promise<DagRun | null>
  /** The run of the same DAG with the latest logical date before that of `run`, of any kind, or leaving out those made by hand. */
  findPrevious(run: DagRun, kinds: 'all' | 'automated'): Promise<DagRun | null>
  /** The last runs that have ended, by logical date, or by the time they were due where they have none; newest first. */
  listLastEnded(dagId: string, limit: number): Promise<DagRun[]>
  /** How long the last successful runs took, in seconds, newest first. */
  listDurations(dagId: string, limit: number): Promise<number[]>
  /** Runs with a logical date between two instants, both included; null for no bound. */
  listBetween(dagId: string, from: string | null, to: string | null): Promise<DagRun[]>
  /** All runs of a DAG, in the order in which they are due. */
  listOfDag(dagId: string): Promise<DagRun[]>
  /** All that are queued or running. */
  listUnfinished(): Promise<DagRun[]>
  updateNote(dagId: string, runId: string, note: string | null): Promise<void>
  /** All of the changes or none; durable when it resolves. Throws `conflict` when one was made to an older revision or a run exists already. */
  record(changes: Changes): Promise<void>
  /** Something that was recorded could not be kept after all: whoever keeps runs in mind reads them again. Until {@link listUnfinished} is asked. */
  readonly isBehind: boolean
  /** Whether what a method has thrown says that the store cannot be used just now, whatever it is given. */
  isOutage(error: unknown): boolean
  /** Deletes a run with its instances, tries and XComs; with all runs of the DAG where `runId` is null. */
  delete(dagId: string, runId: string | null): Promise<void>
}
