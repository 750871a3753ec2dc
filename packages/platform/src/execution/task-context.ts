/** The context that a task is given, made of its facts and of whoever answers its questions. */
import type { Asset, AssetAlias, AssetReference, DagRuns, OutletEvent, TaskContext } from '@daggerboard/dag'
import { idempotencyKey, paramsOf, type TaskFacts } from './task-facts.ts'
import type { AssetEventOutcome } from './task-outcome.ts'
import { toJson } from './task-output.ts'
import type { Question } from './task-question.ts'

/** What a task leans on while it runs. */
export interface TaskHost {
  readonly signal: AbortSignal
  /** Somebody has cancelled the task, so that what it has begun elsewhere ends, too; not only this wait of it. */
  readonly isCancelled?: boolean
  /** The task has asked for what tells it that it is to end: it may tidy up then. */
  listens?(): void
  /** Rejects when the task is to end and cannot hear of it; null where it must be waited for all the same. */
  brokenOff?(): Promise<never> | null
  now(): Date
  sleep(milliseconds: number, signal: AbortSignal): Promise<void>
  /** Text as it comes; lines end with `\n`. */
  log(text: string): void
  /** Rejects with a sentence for the author. */
  ask(question: Question): Promise<unknown>
}

export async function taskContext(
  facts: TaskFacts,
  input: Readonly<Record<string, unknown>>,
  host: TaskHost,
  outlets: Outlets,
): Promise<TaskContext> {
  const { dagId, runId, taskId, mapIndex, tryNumber, logicalDate, runType } = facts
  const { signal } = host
  const assetEvents =
    runType === 'asset_triggered'
      ? ((await host.ask({ what: 'platform', ask: { what: 'triggeringAssetEvents', dagId, runId } })) as (Omit<
          TaskContext['assetEvents'][number],
          'at'
        > & { at: string })[])
      : []
  return {
    dagId,
    runId,
    taskId,
    mapIndex,
    expandedCount: facts.mapCount,
    tryNumber,
    runType,
    logicalDate: logicalDate === null ? null : new Date(logicalDate),
    dataIntervalStart: new Date(facts.dataIntervalStart),
    dataIntervalEnd: new Date(facts.dataIntervalEnd),
    timezone: facts.dag.timezone,
    params: paramsOf(facts),
    conf: facts.conf,
    input,
    firstStartedAt: facts.firstStartedAt === null ? host.now() : new Date(facts.firstStartedAt),
    rescheduleCount: facts.rescheduleCount,
    idempotencyKey: idempotencyKey(facts),
    get signal() {
      host.listens?.()
      return signal
    },
    now: () => host.now(),
    async sleep(milliseconds) {
      host.listens?.()
      await host.sleep(milliseconds, signal)
      signal.throwIfAborted()
    },
    log: (line) => host.log(`${line}\n`),
    connection: (id) => host.ask({ what: 'connection', id }) as ReturnType<TaskContext['connection']>,
    variable: (key) => host.ask({ what: 'variable', key }) as Promise<string>,
    xcomPull: (from, key = 'return_value', options = {}) =>
      host.ask({ what: 'xcomPull', taskId: from, key, ...(options.mapIndex !== undefined && { mapIndex: options.mapIndex }) }),
    xcomPush: async (key, value) => void (await host.ask({ what: 'xcomPush', key, value: toJson(value) })),
    dagRuns: dagRuns(host),
    assetEvents: assetEvents.map((event) => ({ ...event, at: new Date(event.at) })),
    outletEvent: (outlet) => outlets.eventOf(outlet),
  }
}

/** The questions about runs, behind the methods of the context. */
const dagRuns = (host: TaskHost): DagRuns => {
  const ask = <T>(question: Extract<Question, { what: 'platform' }>['ask']): Promise<T> =>
    host.ask({ what: 'platform', ask: question }) as Promise<T>
  return {
    partsOf: (dagId) => ask({ what: 'dagParts', dagId }),
    trigger: ({ dagId, runId = null, logicalDate = null, conf = {}, note = null, reset = false }) =>
      ask({ what: 'triggerRun', dagId, runId, logicalDate, conf, note, reset }),
    find: (query) => ask({ what: 'findRun', ...query }),
    taskStates: (query) => ask({ what: 'taskStates', ...query }),
  }
}

/** What a task says of the assets that it updates. */
export class Outlets {
  readonly #references: readonly AssetReference[]
  readonly #events = new Map<string, { name: string; alias?: string; extra: Record<string, unknown> }>()

  constructor(references: readonly AssetReference[]) {
    this.#references = references
  }

  get isEmpty(): boolean {
    return this.#events.size === 0
  }

  get events(): readonly AssetEventOutcome[] {
    return [...this.#events.values()]
      .filter(({ name }) => name !== '')
      .map((event) => ({ ...event, extra: toJson(event.extra) as Record<string, unknown> }))
  }

  eventOf(outlet: Asset | AssetAlias): OutletEvent {
    const isAlias = 'alias' in outlet
    const id = isAlias ? outlet.alias : outlet.name
    const isOutlet = this.#references.some((one) => ('alias' in one ? isAlias && one.alias === id : !isAlias && one.asset.name === id))
    if (!isOutlet)
      throw new Error(`${isAlias ? 'The asset alias' : 'The asset'} "${id}" is not an outlet of this task. Name it in outlets.`)
    const extra = isAlias ? {} : this.#event(`asset ${id}`, { name: id, extra: {} }).extra
    return {
      extra,
      add: (asset, more = {}) => {
        if (!isAlias) throw new Error(`"${id}" is an asset: only to an alias are assets added.`)
        this.#event(`alias ${id} ${asset.name}`, { name: asset.name, alias: id, extra: { ...extra, ...more } })
      },
    }
  }

  #event(key: string, event: { name: string; alias?: string; extra: Record<string, unknown> }) {
    const known = this.#events.get(key)
    if (known) return known
    this.#events.set(key, event)
    return event
  }
}
