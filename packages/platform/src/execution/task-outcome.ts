/** How a try ends by its own account, or goes on without a worker. Plain data. */

export type TaskOutcome = { readonly renderedFields: unknown } & (
  | {
      readonly state: 'success'
      readonly output: unknown
      readonly skip?: SkipOutcome
      readonly mapLabel?: string
      readonly assetEvents?: readonly AssetEventOutcome[]
    }
  | { readonly state: 'skipped'; readonly detail: string }
  | { readonly state: 'failed'; readonly detail: string; readonly isFinal: boolean; readonly retryAfterSeconds?: number }
  | { readonly state: 'rescheduled'; readonly at: string }
  | { readonly state: 'deferred'; readonly wait: WaitOutcome; readonly timeoutSeconds: number | null }
)

type SkipOutcome = { readonly followed: readonly string[] } | { readonly all: 'direct' | 'descendants' }

export interface AssetEventOutcome {
  readonly name: string
  readonly alias?: string
  readonly extra: Readonly<Record<string, unknown>>
}

export type WaitOutcome =
  | { readonly kind: 'time'; readonly at: string }
  | { readonly kind: 'trigger'; readonly name: string; readonly args: unknown }
  | { readonly kind: 'input'; readonly request: InputOutcome }

interface InputOutcome {
  readonly subject: string
  readonly body: string | null
  readonly options: readonly string[]
  readonly defaults: readonly string[] | null
  readonly multiple: boolean
  readonly assignees: readonly string[]
  readonly params: Readonly<Record<string, unknown>>
  readonly paramSchemas: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  readonly respondedBy: string | null
  readonly respondedAt: string | null
  readonly chosen: readonly string[] | null
  readonly paramsInput: Readonly<Record<string, unknown>> | null
}

export const failed = (detail: string, isFinal = false): TaskOutcome & { state: 'failed' } => ({
  state: 'failed',
  detail,
  isFinal,
  renderedFields: null,
})
