/** What tasks may ask of the Variables and Connections. */
import type { Connection } from '@daggerboard/dag'
import type { Principal } from '../core/principal.ts'

export interface TaskSecrets {
  /** Throws `not_found` when there is none of that key. */
  variable(key: string, who: Principal): Promise<string>
  /** Throws `not_found` when there is none of that id. */
  connection(id: string, who: Principal): Promise<Connection>
  /** `text` with every secret that was handed out replaced by `***`. */
  mask(text: string): string
}
