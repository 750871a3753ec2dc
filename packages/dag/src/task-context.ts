/** What a running task may know and ask of the platform. */

import type { Asset, AssetAlias } from './asset.ts'
import type { AssetDocument } from './document.ts'

/** A connection as the platform keeps it: where a system is and how to get in. Field names are Airflow's. */
export interface Connection {
  readonly id: string
  readonly type: string
  readonly host: string | null
  readonly port: number | null
  readonly schema: string | null
  readonly login: string | null
  readonly password: string | null
  readonly extra: Readonly<Record<string, unknown>>
}

/** One is made for each try. */
export interface TaskContext {
  readonly dagId: string
  readonly runId: string
  readonly taskId: string
  /** Which one of a mapped task this is, from 0; -1 for a task that is not mapped. */
  readonly mapIndex: number
  /** How many of them there are in this run; null for a task that is not mapped. */
  readonly expandedCount: number | null
  /** 1 for the first try. */
  readonly tryNumber: number
  /** `scheduled`, `manual`, `backfill`, `asset_triggered` or `asset_materialization`. */
  readonly runType: string
  readonly logicalDate: Date | null
  readonly dataIntervalStart: Date
  readonly dataIntervalEnd: Date
  /** IANA name of the DAG's zone. */
  readonly timezone: string
  /** The DAG's `params`, overridden by the run's `conf`. */
  readonly params: Readonly<Record<string, unknown>>
  /** What the run was triggered with. */
  readonly conf: Readonly<Record<string, unknown>>
  /** By name: outputs of the tasks that are its inputs, constants, and its own element if it is mapped. */
  readonly input: Readonly<Record<string, unknown>>
  /** When this task first began in this run: retries, reschedules and deferrals do not change it. */
  readonly firstStartedAt: Date
  /** How often it has been rescheduled. */
  readonly rescheduleCount: number
  /** The same for every try of this task (of this one of a mapped task) in this run: give it to remote systems as their request id. */
  readonly idempotencyKey: string
  /** Aborts when the task is cancelled or runs out of time. */
  readonly signal: AbortSignal
  now(): Date
  /** Resolves after that time; rejects when the task is cancelled. Tasks that wait for long should `Defer` instead. */
  sleep(milliseconds: number): Promise<void>
  /** Writes a line to the task's log. */
  log(line: string): void
  /** Throws when there is none of that id. */
  connection(id: string): Promise<Connection>
  /** Throws when there is none of that key. */
  variable(key: string): Promise<string>
  /**
   * What `taskId` of this run returned or pushed under `key` (default `return_value`); null when there is nothing. Of its own id a task gets what an
   * earlier try of it has left, so that it can go on with it. Of a mapped task it is a list of all that there are, in order, unless `mapIndex`
   * names one or, inside a mapped group, it is the same group's: then it is the one of the same index.
   */
  xcomPull(taskId: string, key?: string, options?: { readonly mapIndex?: number }): Promise<unknown>
  xcomPush(key: string, value: unknown): Promise<void>
  /** Runs of other DAGs, and of this one. */
  readonly dagRuns: DagRuns
  /** The events of assets that this run was made of. */
  readonly assetEvents: readonly AssetEventFacts[]
  /** What is added to the event of an outlet when the task succeeds. Throws when it is not an outlet of the task. */
  outletEvent(outlet: Asset | AssetAlias): OutletEvent
}

/** An asset was updated. */
export interface AssetEventFacts {
  readonly name: string
  readonly uri: string
  readonly at: Date
  readonly extra: Readonly<Record<string, unknown>>
  /** The task that did it; null when it was told from outside. */
  readonly source: { readonly dagId: string; readonly runId: string; readonly taskId: string; readonly mapIndex: number } | null
}

export interface OutletEvent {
  /** Write facts into it. */
  readonly extra: Record<string, unknown>
  /** Of an alias: which assets stand behind it this time. */
  add(asset: Asset | AssetDocument, extra?: Readonly<Record<string, unknown>>): void
}

export interface DagRunFacts {
  readonly dagId: string
  readonly runId: string
  readonly state: 'queued' | 'running' | 'success' | 'failed'
  /** ISO instant. */
  readonly logicalDate: string | null
}

/** Which run: by its id, or by its logical date (ISO). */
export type DagRunQuery = { readonly dagId: string; readonly runId: string } | { readonly dagId: string; readonly logicalDate: string }

/** What a DAG is made of, as its file has it now. */
export interface DagParts {
  readonly taskIds: readonly string[]
  readonly groupIds: readonly string[]
}

export interface DagRuns {
  /** Null when there is no such DAG. */
  partsOf(dagId: string): Promise<DagParts | null>
  /** Triggers a run as somebody by hand would. A run of that id or logical date that is there already is cleared with `reset`; else it throws. */
  trigger(request: {
    readonly dagId: string
    readonly runId?: string
    /** ISO instant; null or left out: the run stands for its interval alone. */
    readonly logicalDate?: string | null
    readonly conf?: Readonly<Record<string, unknown>>
    readonly note?: string
    readonly reset?: boolean
  }): Promise<DagRunFacts>
  /** Null when there is no such run. */
  find(query: DagRunQuery): Promise<DagRunFacts | null>
  /** Of the tasks of those ids, or of all in a group; each instance of a mapped task for itself. Empty when there is no such run. */
  taskStates(
    query: DagRunQuery & { readonly taskIds?: readonly string[]; readonly groupId?: string },
  ): Promise<readonly { readonly taskId: string; readonly mapIndex: number; readonly state: string }[]>
}

/** What a callback is told. It may use connections and variables, but no XComs. */
export interface CallbackContext
  extends Pick<TaskContext, 'dagId' | 'runId' | 'signal' | 'now' | 'log' | 'connection' | 'variable' | 'params' | 'conf' | 'timezone'> {
  /** `onSuccess`, `onFailure`, `onRetry`, `onExecute`, `onSkipped`, or `deadline:0` for the first deadline of the DAG. */
  readonly which: string
  /** Null for a callback of the DAG, as are the next two. */
  readonly taskId: string | null
  readonly mapIndex: number | null
  readonly tryNumber: number | null
  readonly logicalDate: Date | null
  readonly dataIntervalStart: Date | null
  readonly dataIntervalEnd: Date | null
  /** Why, in a sentence. */
  readonly reason: string
  /** What the task has thrown, as text, where it is called because a task has failed (`onFailure`, `onRetry` of a task); else null. */
  readonly exception: string | null
}

export type Callback = (context: CallbackContext) => unknown
/** One callback, or several that are called one after the other; what one throws does not keep the next from being called. */
export type Callbacks = Callback | readonly Callback[]
