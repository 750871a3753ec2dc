/** What a task may ask of the platform while it runs. */
import type { DagRunQuery } from '@daggerboard/dag'

export type Question =
  | { readonly what: 'variable'; readonly key: string }
  | { readonly what: 'connection'; readonly id: string }
  | { readonly what: 'xcomPull'; readonly taskId: string; readonly key: string; readonly mapIndex?: number }
  | { readonly what: 'xcomPush'; readonly key: string; readonly value: unknown }
  | { readonly what: 'platform'; readonly ask: PlatformQuestion }

/** What a task may ask about runs, its own and others, and what it may have done with them. Instants are ISO strings in UTC. */
export type PlatformQuestion =
  /** Answers `DagRunFacts`. */
  | {
      readonly what: 'triggerRun'
      readonly dagId: string
      readonly conf: Readonly<Record<string, unknown>>
      readonly runId: string | null
      readonly logicalDate: string | null
      readonly note: string | null
      /** A run that is there already is cleared. */
      readonly reset: boolean
    }
  /** Answers `DagRunFacts`, or null. */
  | ({ readonly what: 'findRun' } & DagRunQuery)
  /** Answers `{ taskId, mapIndex, state }[]`. */
  | ({ readonly what: 'taskStates'; readonly taskIds?: readonly string[]; readonly groupId?: string } & DagRunQuery)
  /** Answers `DagParts`, or null. */
  | { readonly what: 'dagParts'; readonly dagId: string }
  /** Of the latest successful run whose logical date is before that. Answers `PreviousSuccess`, or null. */
  | { readonly what: 'previousSuccess'; readonly dagId: string; readonly before: string }
  /** Those that this run was made of, as `AssetEventFacts` with `at` in ISO. */
  | { readonly what: 'triggeringAssetEvents'; readonly dagId: string; readonly runId: string }
  /** The last events of each asset, oldest first. Answers lists of `AssetEventFacts`, with `at` in ISO, by the assets' names. */
  | { readonly what: 'inletEvents'; readonly assets: readonly string[] }
  /** Answers `Neighbours`: the logical dates right before and after this run's, by the schedule alone. */
  | { readonly what: 'neighbours'; readonly dagId: string; readonly runId: string }

export interface PreviousSuccess {
  readonly logicalDate: string | null
  readonly dataIntervalStart: string
  readonly dataIntervalEnd: string
  readonly startedAt: string | null
  readonly endedAt: string | null
}

export interface Neighbours {
  /** Null where runs do not stand for intervals, as with a trigger timetable. */
  readonly previous: string | null
  readonly next: string | null
}

/** The platform behind the questions. `subject` is that of the try which asks. Rejects with a sentence for the author. */
export interface TaskPlatform {
  answer(question: PlatformQuestion, subject: string): Promise<unknown>
}
