/** The logs of tasks: one for each try, written line by line and readable while it grows. */

export interface TryOfTask {
  readonly dagId: string
  readonly runId: string
  readonly taskId: string
  readonly tryNumber: number
}

export interface TaskLog {
  /** Adds text; whole lines get the time at which they came. */
  write(text: string): void
  /** Writes out what is left and resolves when all of it is kept. */
  close(): Promise<void>
}

export interface TaskLogs {
  open(of: TryOfTask): TaskLog
  /** Everything written so far; null when the try has not begun. */
  read(of: TryOfTask): Promise<string | null>
}
