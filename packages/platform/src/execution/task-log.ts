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

/** A place in a log, from which it can be read on, also after it has grown. To be kept as it is: only the store knows what it means. */
export interface LogPlace {
  readonly part: number
  readonly offset: number
}

export const LOG_BEGINNING: LogPlace = { part: 0, offset: 0 }

/** Whole lines that follow each other. */
export interface LogPage {
  readonly text: string
  /** Right after them. */
  readonly next: LogPlace
  /** Whether there is more just now. */
  readonly hasMore: boolean
}

export interface TaskLogs {
  /** A try that goes on after a wait, or anew, adds to what it has. */
  open(of: TryOfTask): TaskLog
  /** Everything written so far; null when the try has not begun. */
  read(of: TryOfTask): Promise<string | null>
  /** The lines from a place on, until there are `lines`, or `characters` are reached or passed; null when the try has not begun. Reads little more than it answers. */
  readFrom(of: TryOfTask, from: LogPlace, most: { readonly lines: number; readonly characters: number }): Promise<LogPage | null>
  /** Everything written so far, and then what comes until the log is closed or `signal` aborts. Of a try that has not begun it waits for the beginning. */
  tail(of: TryOfTask, signal: AbortSignal): AsyncIterable<string>
  /** Deletes the logs of a run, or of all runs of a DAG. */
  delete(dagId: string, runId?: string): Promise<void>
}
