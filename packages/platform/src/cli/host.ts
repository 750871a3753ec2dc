/** What commands need of the machine they run on, and cannot ask over HTTP. Only `main.ts` knows who does it. */
import type { Settings } from '../settings.ts'

/** Where a platform is, and a token that opens it. */
export interface Access {
  readonly endpoint: string
  token(): Promise<string>
}

export interface Host {
  readonly version: string
  /** The platform that runs in `home`; null when none does. Throws `forbidden` when the home's keys are somebody else's. */
  localAccess(home: string): Promise<Access | null>
  /** Runs the platform until it is interrupted. */
  start(settings: Settings): Promise<number>
  demo(settings: Settings, options: DemoArguments): Promise<number>
  /** Variables and connections of the home with their secrets, which no door gives out. For the home's owner. */
  secrets(settings: Settings): Promise<Secrets>
  /**
   * Encrypts all secrets of a home where no platform runs anew with the newest of the keys; answers how many. Throws `conflict` when one runs,
   * `invalid` and changes nothing when one cannot be read.
   */
  rotateKeys(settings: Settings): Promise<Readonly<Record<string, number>>>
  /** Runs a whole DAG in this process and keeps nothing of it. Throws `not_found`, `invalid`. */
  testDag(settings: Settings, order: DagTest): Promise<TestedRun>
  /** Runs one task, whatever comes before it, and keeps nothing of it. Throws `not_found`, `invalid`. */
  testTask(settings: Settings, order: TaskTest): Promise<TestedTask>
  /** How files of variables, connections and pools are read and written. */
  exchange(): Promise<Exchange>
}

export type FileFormat = 'json' | 'yaml' | 'env'

/** Names and what they stand for, as a file has them. */
export type Entries = Readonly<Record<string, unknown>>

/** Files in the forms of Airflow's import and export. What reads throws `invalid` with every problem, and repeats no value: there may be secrets. */
export interface Exchange {
  importVariables(text: string, format: FileFormat): Imported<VariableFields>
  importConnections(text: string, format: FileFormat): Imported<ConnectionFields>
  importPools(text: string, format: FileFormat): readonly PoolFields[]
  exportVariables(variables: readonly VariableFields[], format: FileFormat): Entries
  exportConnections(connections: readonly ConnectionFields[], format: FileFormat): Entries
  exportPools(pools: readonly PoolFields[]): Entries
  /** A connection from its JSON or URI. */
  parseConnection(id: string, text: string): ConnectionFields
}

interface Imported<Fields> {
  readonly found: readonly Fields[]
  /** Names of those whose secrets are masked in the file: they are left out. */
  readonly masked: readonly string[]
}

export interface VariableFields {
  readonly key: string
  readonly value: string
  readonly description: string | null
}

export interface PoolFields {
  readonly name: string
  /** -1 for any number. */
  readonly slots: number
  readonly description: string | null
  readonly include_deferred: boolean
}

/** What a task asks a human. */
export interface HumanQuestion {
  readonly taskId: string
  readonly mapIndex: number
  readonly subject: string
  readonly body: string | null
  readonly options: readonly string[]
  readonly defaults: readonly string[] | null
  readonly multiple: boolean
  /** Names of further fields, in their order, with their default values, where they have one, and JSON Schemas. */
  readonly fields: readonly { readonly name: string; readonly value?: unknown; readonly schema: Readonly<Record<string, unknown>> }[]
}

export interface HumanAnswer {
  readonly chosen: readonly string[]
  /** Of the further fields those that are not left as they are. */
  readonly paramsInput: Readonly<Record<string, unknown>>
}

/** Who answers for humans in a test. */
export interface HumanAnswers {
  /** In advance, by the id of the task. */
  readonly given: ReadonlyMap<string, HumanAnswer>
  /** Asks who sits at the terminal, again with what was wrong with the answer before; null when nobody sits there. */
  readonly ask: ((question: HumanQuestion, problems: readonly string[], signal: AbortSignal) => Promise<HumanAnswer>) | null
}

export interface DagTest {
  readonly dagId: string
  /** ISO instants in UTC, or null for what the schedule makes of now. */
  readonly logicalDate: string | null
  readonly conf: Readonly<Record<string, unknown>>
  /** Ids of tasks that are not run and count as successful. */
  readonly skips: (taskId: string) => boolean
  /** What tasks print, and how they go on. */
  readonly onLine: (line: string) => void
  readonly answers: HumanAnswers
  readonly signal: AbortSignal
}

export interface TestedRun {
  readonly runId: string
  readonly state: string
  readonly logicalDate: string | null
  readonly tasks: readonly { readonly task_id: string; readonly map_index: number; readonly state: string; readonly try_number: number }[]
}

export interface TaskTest extends Omit<DagTest, 'skips'> {
  readonly taskId: string
  readonly mapIndex: number
  /** Added to the environment of the task. */
  readonly environment: Readonly<Record<string, string>>
  /** Only fill the templates in. */
  readonly rendersOnly: boolean
  /** The run whose XComs the task gets. */
  readonly run: { readonly runId: string; readonly dataIntervalStart: string; readonly dataIntervalEnd: string } | null
  readonly xcoms: readonly { readonly taskId: string; readonly mapIndex: number; readonly key: string; readonly value: unknown }[]
}

export interface TestedTask {
  readonly state: string
  readonly detail: string | null
  /** To be shown: with secrets masked, as in the fields. */
  readonly output: unknown
  readonly renderedFields: unknown
}

export interface Secrets {
  readonly variables: readonly VariableFields[]
  readonly connections: readonly ConnectionFields[]
}

/** As Airflow names them. */
export interface ConnectionFields {
  readonly connection_id: string
  readonly conn_type: string
  readonly host: string | null
  readonly port: number | null
  readonly schema: string | null
  readonly login: string | null
  readonly password: string | null
  /** JSON text. */
  readonly extra: string | null
  readonly description: string | null
}

export interface DemoArguments {
  readonly exit: boolean
  readonly json: boolean
  readonly size: number
  readonly seed: number
  readonly rows: string | undefined
  readonly events: string | undefined
}
