/** The logs of tasks: one for each try, written line by line and readable while it grows. */

export interface TryOfTask {
  readonly dagId: string
  readonly runId: string
  readonly taskId: string
  /** -1, or left out, for a task that is not mapped. */
  readonly mapIndex?: number
  readonly tryNumber: number
}

export interface TaskLog {
  /** Adds text; whole lines get the time at which they came. */
  write(text: string): void
  /** Nothing more comes. How soon it is kept is for the store to say. */
  close(): void
}

export interface TaskLogs {
  /** A try that goes on after a wait, or anew, adds to what it has. */
  open(of: TryOfTask): TaskLog
  /** Everything written so far; null when the try has not begun. */
  read(of: TryOfTask): Promise<string | null>
  /** Everything written so far, and then what comes until the log is closed or `signal` aborts. Of a try that has not begun it waits for the beginning. */
  tail(of: TryOfTask, signal: AbortSignal): AsyncIterable<string>
  /** Deletes the logs of a run, or of all runs of a DAG. */
  delete(dagId: string, runId?: string): Promise<void>
}
