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
  /** A connection from its JSON or URI, in Airflow's form; throws `invalid`. */
  parseConnection(id: string, text: string): Promise<ConnectionFields>
}

export interface Secrets {
  readonly variables: readonly { readonly key: string; readonly value: string; readonly description: string | null }[]
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
