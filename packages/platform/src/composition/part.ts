/** A part of the house as the composition sees it: what all parts are given, and what each one gives back. */
import type { LivesById } from '../accounts/lives.ts'
import type { TokenIssuer } from '../accounts/token.ts'
import type { Database } from '../adapters/sqlite/database.ts'
import type { Clock } from '../core/clock.ts'
import type { Events } from '../core/events.ts'
import type { Logger } from '../core/logger.ts'
import type { Service } from '../core/service.ts'
import type { Recorder } from '../http/airflow-record.ts'
import type { Door } from '../http/door.ts'
import type { Settings } from '../settings.ts'
import type { Home } from './home.ts'

/** What every part may use. */
export interface Ground {
  readonly version: string
  readonly settings: Settings
  readonly home: Home
  readonly db: Database
  readonly clock: Clock
  readonly events: Events
  readonly tokens: TokenIssuer
  /** Where changes that go through a door are written down. */
  readonly recorder: Recorder
  readonly logger: Logger
  /** `http://127.0.0.1:PORT`: where all doors are. */
  readonly endpoint: string
  /** Aborts when the platform begins to stop. */
  readonly stopping: AbortSignal
}

export interface Part {
  readonly doors: readonly Door[]
  /** Started in this order once the doors are open; stopped in the opposite one. */
  readonly services?: readonly Service[]
  /** For the kinds of subjects that live here (`build` of `build:ID`): whether this one still does. Its tokens end with it. */
  readonly lives?: Readonly<Record<string, LivesById>>
}
