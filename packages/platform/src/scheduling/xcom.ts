/** XComs: small JSON values that a task leaves for the tasks after it. */

export interface XCom {
  readonly dagId: string
  readonly runId: string
  readonly taskId: string
  /** `return_value` is what the task answered. */
  readonly key: string
  readonly value: unknown
  readonly at: string
}

export const RETURN_VALUE = 'return_value'

export interface XComStore {
  find(dagId: string, runId: string, taskId: string, key: string): Promise<XCom | null>
  /** Those of a run, or of one task of it. */
  list(dagId: string, runId: string, taskId?: string): Promise<XCom[]>
  save(xcom: XCom): Promise<void>
}
