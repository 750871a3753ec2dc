/** What a running task knows, for tests: a clock that goes on when the task sleeps, a log, XComs, and runs of other DAGs. */
import type { Connection, DagRunFacts, DagRunQuery, DagRuns, OutletEvent, TaskContext } from '../src/index.ts'

export class ManualContext implements TaskContext {
  readonly dagId = 'shop'
  readonly runId = 'scheduled__2026-11-02'
  readonly taskId: string = 'it'
  readonly mapIndex = -1
  readonly expandedCount = null
  readonly tryNumber: number = 1
  readonly runType = 'scheduled'
  readonly logicalDate = new Date('2026-11-02T00:00:00Z')
  readonly dataIntervalStart = this.logicalDate
  readonly dataIntervalEnd = new Date('2026-11-03T00:00:00Z')
  readonly timezone: string = 'UTC'
  readonly params = {}
  readonly conf = {}
  readonly input: Readonly<Record<string, unknown>> = {}
  readonly firstStartedAt: Date = new Date('2026-11-03T00:00:00Z')
  readonly rescheduleCount: number = 0
  readonly idempotencyKey = 'shop/scheduled__2026-11-02/it'
  readonly assetEvents = []
  readonly lines: string[] = []
  /** Milliseconds of each sleep. */
  readonly slept: number[] = []
  readonly xcoms = new Map<string, unknown>()
  readonly runs: (DagRunFacts & { tasks?: Record<string, string> })[] = []
  /** Called after each sleep, for what happens meanwhile. */
  readonly meanwhile: () => void = () => {}
  readonly #abort = new AbortController()
  #now = this.firstStartedAt.getTime()

  constructor(facts: Partial<TaskContext> & { readonly now?: () => Date; readonly meanwhile?: () => void } = {}) {
    Object.assign(this, facts)
  }

  get signal(): AbortSignal {
    return this.#abort.signal
  }

  now(): Date {
    return new Date(this.#now)
  }

  async sleep(milliseconds: number): Promise<void> {
    this.slept.push(milliseconds)
    this.#now += milliseconds
    this.meanwhile()
  }

  log(line: string): void {
    this.lines.push(line)
  }

  cancel(): void {
    this.#abort.abort(new Error('The task was cancelled.'))
  }

  async connection(id: string): Promise<Connection> {
    throw new Error(`There is no connection "${id}".`)
  }

  async variable(key: string): Promise<string> {
    throw new Error(`There is no Variable "${key}".`)
  }

  async xcomPull(taskId: string, key = 'return_value'): Promise<unknown> {
    return this.xcoms.get(`${taskId}/${key}`) ?? null
  }

  async xcomPush(key: string, value: unknown): Promise<void> {
    this.xcoms.set(`${this.taskId}/${key}`, value)
  }

  outletEvent(): OutletEvent {
    throw new Error('There are no outlets here.')
  }

  readonly dagRuns: DagRuns = {
    partsOf: async (dagId) => {
      const tasks = this.runs.filter((run) => run.dagId === dagId).flatMap((run) => Object.keys(run.tasks ?? {}))
      const groupIds = [...new Set(tasks.flatMap((id) => (id.includes('.') ? [id.slice(0, id.lastIndexOf('.'))] : [])))]
      return this.runs.some((run) => run.dagId === dagId) ? { taskIds: [...new Set(tasks)], groupIds } : null
    },
    trigger: async ({ dagId, runId = 'manual', logicalDate = null }) => {
      const run: DagRunFacts = { dagId, runId, logicalDate, state: 'queued' }
      this.runs.push(run)
      return run
    },
    find: async (query) => this.#find(query) ?? null,
    taskStates: async (query) =>
      Object.entries(this.#find(query)?.tasks ?? {})
        .filter(([taskId]) => query.taskIds?.includes(taskId) ?? taskId.startsWith(`${query.groupId}.`))
        .map(([taskId, state]) => ({ taskId, mapIndex: -1, state })),
  }

  #find(query: DagRunQuery) {
    return this.runs.find(
      (run) => run.dagId === query.dagId && ('runId' in query ? run.runId === query.runId : run.logicalDate === query.logicalDate),
    )
  }
}
