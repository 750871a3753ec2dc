/** The contract between a DAG file's tasks and whatever runs them. */

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

/** What a running task may know and ask. One is made for each try. */
export interface TaskContext {
  readonly dagId: string
  readonly runId: string
  readonly taskId: string
  /** 1 for the first try. */
  readonly tryNumber: number
  readonly logicalDate: Date | null
  readonly dataIntervalStart: Date
  readonly dataIntervalEnd: Date
  /** The same for every try of this task in this run: give it to remote systems as their request id. */
  readonly idempotencyKey: string
  /** Aborts when the task is cancelled or runs out of time. */
  readonly signal: AbortSignal
  /** Writes a line to the task's log. */
  log(line: string): void
  /** Throws when there is none of that id. */
  connection(id: string): Promise<Connection>
  /** Throws when there is none of that key. */
  variable(key: string): Promise<string>
  /**
   * What `taskId` of this run returned or pushed under `key` (default `return_value`); null when there is nothing. Of its own id a task gets what an
   * earlier try of it has left, so that it can go on with it.
   */
  xcomPull(taskId: string, key?: string): Promise<unknown>
  xcomPush(key: string, value: unknown): Promise<void>
}

/**
 * What a task does. `args` is plain data; every string in it is a template that is rendered when the task runs, never before.
 * `run` gets the rendered args. Its answer must be JSON and becomes the task's XCom `return_value`.
 */
export interface Operator<Args = unknown, Output = unknown> {
  /** The name shown on the pages, such as `DataprocCreateCluster`. */
  readonly name: string
  readonly args: Args
  run(args: Args, context: TaskContext): Promise<Output>
}

/** Thrown by a task that wants to end as `skipped`. */
export class SkipTask extends Error {
  override readonly name = 'SkipTask'
}

/** Thrown by a task that wants to fail at once, whatever its `retries` say. */
export class FailTask extends Error {
  override readonly name = 'FailTask'
}
