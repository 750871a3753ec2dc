/** What a running task knows, for tests of operators: the log is kept, XComs are a map. */
import {
  type Connection,
  type DagRuns,
  Defer,
  type DeferredEvent,
  type Operator,
  type OutletEvent,
  type TaskContext,
} from '@daggerboard/dag'

export class TestContext implements TaskContext {
  readonly dagId = 'pipeline_ml_staging'
  readonly runId = 'scheduled__2026-01-05T05:00:00+00:00'
  readonly taskId = 'task'
  readonly mapIndex = -1
  readonly expandedCount = null
  readonly runType = 'scheduled'
  readonly timezone = 'UTC'
  readonly params = {}
  readonly conf = {}
  readonly input = {}
  readonly rescheduleCount = 0
  readonly assetEvents = []
  readonly logicalDate = new Date('2026-01-05T05:00:00Z')
  readonly dataIntervalStart = new Date('2026-01-05T05:00:00Z')
  readonly dataIntervalEnd = new Date('2026-01-12T05:00:00Z')
  readonly firstStartedAt: Date
  readonly tryNumber: number
  readonly idempotencyKey: string
  readonly controller = new AbortController()
  readonly lines: string[] = []
  readonly #connection: Connection
  readonly #xcoms: Map<string, unknown>
  #heard: (() => void)[] = []

  constructor({
    endpoint,
    password,
    project,
    tryNumber = 1,
    idempotencyKey = crypto.randomUUID(),
    xcoms = new Map(),
    firstStartedAt = new Date(),
  }: {
    endpoint: string
    password: string
    project: string
    tryNumber?: number
    idempotencyKey?: string
    xcoms?: Map<string, unknown>
    firstStartedAt?: Date
  }) {
    this.firstStartedAt = firstStartedAt
    this.tryNumber = tryNumber
    this.idempotencyKey = idempotencyKey
    this.#xcoms = xcoms
    this.#connection = {
      id: 'google_cloud_default',
      type: 'google_cloud_platform',
      host: null,
      port: null,
      schema: null,
      login: null,
      password,
      extra: { endpoint, project, region: 'us-central1' },
    }
  }

  get signal(): AbortSignal {
    return this.controller.signal
  }

  get text(): string {
    return this.lines.join('\n')
  }

  log(line: string): void {
    this.lines.push(line)
    for (const hear of this.#heard.splice(0)) hear()
  }

  /** Resolves as soon as the log has a line like that. */
  async logged(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.text)) await new Promise<void>((resolve) => this.#heard.push(resolve))
  }

  now(): Date {
    return new Date()
  }

  async sleep(): Promise<void> {}

  get dagRuns(): DagRuns {
    throw new Error('There are no runs of DAGs here.')
  }

  outletEvent(): OutletEvent {
    throw new Error('There are no assets here.')
  }

  async connection(): Promise<Connection> {
    return this.#connection
  }

  async variable(): Promise<string> {
    return ''
  }

  async xcomPull(taskId: string, key = 'return_value'): Promise<unknown> {
    return this.#xcoms.get(`${taskId}/${key}`) ?? null
  }

  async xcomPush(key: string, value: unknown): Promise<void> {
    this.#xcoms.set(`${this.taskId}/${key}`, value)
  }
}

/** Runs an operator to its end: what it waits for is waited for here. Hands what it waits with to `onDefer`, through JSON as the platform does. */
export async function perform<Args, Output>(operator: Operator<Args, Output>, context: TestContext, onDefer = () => {}): Promise<Output> {
  let work = () => operator.run(operator.args, context)
  for (;;) {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof Defer) || error.wait.kind !== 'trigger') throw error
      const { name, args } = JSON.parse(JSON.stringify(error.wait)) as { name: string; args: unknown }
      onDefer()
      const event = await waitFor(operator, name, args, context)
      work = () => operator.resume?.(operator.args, event, context) as Promise<Output>
    }
  }
}

/** What its trigger answers or fails with; the operator is asked to cancel when the task is. */
async function waitFor(operator: Operator, name: string, args: unknown, context: TestContext): Promise<DeferredEvent> {
  try {
    return { value: JSON.parse(JSON.stringify(await operator.triggers?.[name]?.(args, context))) }
  } catch (error) {
    if (!context.signal.aborted) return { error: (error as Error).message }
    await operator.cancel?.(operator.args, context, args)
    throw error
  }
}
