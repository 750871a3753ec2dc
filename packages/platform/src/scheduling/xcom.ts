/** XComs: small JSON values that a task leaves for the tasks after it. */

export interface XCom {
  readonly dagId: string
  readonly runId: string
  readonly taskId: string
  /** -1 for a task that is not mapped. */
  readonly mapIndex: number
  /** `return_value` is what the task answered. */
  readonly key: string
  readonly value: unknown
  readonly at: string
}

export const RETURN_VALUE = 'return_value'

export interface XComStore {
  /** `mapIndex` is -1 when left out. */
  find(dagId: string, runId: string, taskId: string, key: string, mapIndex?: number): Promise<XCom | null>
  /** Those of a run, of one task of it with all of its instances, or of one instance; by task, map index and key. */
  list(dagId: string, runId: string, taskId?: string, mapIndex?: number): Promise<XCom[]>
  save(xcom: XCom): Promise<void>
  /** False when there was none. */
  delete(dagId: string, runId: string, taskId: string, key: string, mapIndex?: number): Promise<boolean>
}
