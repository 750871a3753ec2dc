/** Variables: settings that DAGs read by name when their tasks run. Kept encrypted. */
import { AppError, didYouMean } from '../core/app-error.ts'
import type { Page, Sort, TextFilter } from '../core/list-query.ts'

export interface Variable {
  readonly key: string
  readonly value: string
  readonly description: string | null
}

/** By key where nothing else decides. */
export interface VariablePage extends Page {
  readonly keyPattern?: TextFilter | undefined
  readonly sort: readonly Sort<'key' | 'description'>[]
}

export interface VariableStore {
  find(key: string): Promise<Variable | null>
  list(): Promise<Variable[]>
  /** Only what stands on the page is decrypted. */
  page(query: VariablePage): Promise<{ variables: Variable[]; total: number }>
  keys(): Promise<string[]>
  /** Creates the variable or replaces the one of that key. */
  save(variable: Variable): Promise<void>
  /** Answers whether there was one. */
  delete(key: string): Promise<boolean>
}

export type Environment = Readonly<Record<string, string | undefined>>

/** The value of a variable: the environment (`DAGGERBOARD_VAR_KEY`, then `AIRFLOW_VAR_KEY`) before the store, as in Airflow. Throws `not_found`. */
export async function readVariable(key: string, store: VariableStore, environment: Environment): Promise<string> {
  const name = key.toUpperCase()
  const fromEnvironment = environment[`DAGGERBOARD_VAR_${name}`] ?? environment[`AIRFLOW_VAR_${name}`]
  if (fromEnvironment !== undefined) return fromEnvironment
  const variable = await store.find(key)
  if (variable) return variable.value
  const known = await store.keys()
  throw new AppError(
    'not_found',
    `There is no variable "${key}".${didYouMean(key, known)} Set it with POST /api/v2/variables or the environment variable AIRFLOW_VAR_${name}.`,
  )
}
