/** A warm worker: a process that runs tasks of DAG files, one at a time, and asks the platform for what they need. */
import { AsyncLocalStorage } from 'node:async_hooks'
import { pathToFileURL } from 'node:url'
import { inspect } from 'node:util'
import { type FunctionContext, isDag, type Operator, type Task, type TaskContext } from '@daggerboard/dag'
import { didYouMean, messageOf } from '../../core/app-error.ts'
import { idempotencyKey, paramsOf, type TaskFacts } from '../../execution/task-facts.ts'
import type { TemplateSources } from '../../execution/template.ts'
import type { FromWorker, Question, TaskOutcome, ToWorker } from '../../execution/worker-protocol.ts'
import { followImports, importsOf } from './dag-imports.ts'

/** A larger answer does not belong between tasks. */
const MAX_OUTPUT_BYTES = 1024 * 1024

interface Running {
  readonly url: string
  readonly controller: AbortController
  renderedFields: unknown
}

let current: Running | null = null
/** Which task the code that runs belongs to: what one leaves behind must not speak, or ask, in the name of the next. */
const runner = new AsyncLocalStorage<Running>()
const isLate = (): boolean => {
  const own = runner.getStore()
  return own !== undefined && own !== current
}
let questions = 0
const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>()

const tell = (message: FromWorker): Promise<void> => new Promise((resolve) => process.send?.(message, () => resolve()))

followImports()
process.on('message', (message: ToWorker) => {
  if (message.type === 'run') void run(message.file, message.facts)
  else if (message.type === 'abort') current?.controller.abort(new Error(message.reason))
  else {
    const asked = waiting.get(message.question)
    waiting.delete(message.question)
    if (message.error === undefined) asked?.resolve(message.value)
    else asked?.reject(new Error(message.error))
  }
})
// Without its platform a worker has nobody to report to: it goes, with all that it has started.
process.on('disconnect', () => process.kill(-process.pid, 'SIGKILL'))
for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
  process.on(event, async (error: unknown) => {
    if (current) await finish({ ...failure(error), renderedFields: current.renderedFields }, true)
    process.exit(1)
  })
}
for (const stream of [process.stdout, process.stderr]) {
  stream.write = ((text: string | Uint8Array, ...rest: unknown[]) => {
    log(typeof text === 'string' ? text : Buffer.from(text).toString('utf8'))
    const done = rest.find((one) => typeof one === 'function') as (() => void) | undefined
    done?.()
    return true
  }) as typeof stream.write
}

async function run(file: string, facts: TaskFacts): Promise<void> {
  const url = pathToFileURL(file).href
  const own: Running = { url, controller: new AbortController(), renderedFields: null }
  current = own
  try {
    const output = toJson(await runner.run(own, () => work(url, facts, own)))
    await finish({ state: 'success', output, renderedFields: own.renderedFields })
  } catch (error) {
    if (current !== own) return
    await finish({ ...failure(error), renderedFields: own.renderedFields })
  }
}

async function work(url: string, facts: TaskFacts, own: Running): Promise<unknown> {
  const task = await findTask(url, facts)
  const context = contextOf(facts, own.controller.signal)
  const { work: given } = task
  if (typeof given === 'function') {
    const whole: FunctionContext<unknown> = { ...context, params: paramsOf(facts), input: await inputOf(task, context) }
    return given(whole)
  }
  // Nunjucks is only loaded by workers that have something to render.
  const [{ renderTemplates }, { templateNames }] = await Promise.all([
    import('../../execution/template.ts'),
    import('../../execution/template-names.ts'),
  ])
  const operator: Operator = given
  own.renderedFields = await renderTemplates(operator.args, templateNames(facts), sources)
  return operator.run(own.renderedFields, context)
}

async function findTask(url: string, { dagId, taskId }: TaskFacts): Promise<Task> {
  const exported = Object.values((await import(url)) as Record<string, unknown>).flat()
  const dag = exported.filter(isDag).find(({ id }) => id === dagId)
  if (!dag) throw new Error(`The file no longer exports the DAG "${dagId}". Put it back, or delete its runs.`)
  const task = dag.tasks.get(taskId)
  if (!task) throw new Error(`DAG "${dagId}" no longer has the task "${taskId}".${didYouMean(taskId, dag.tasks.keys())}`)
  return task
}

function contextOf(facts: TaskFacts, signal: AbortSignal): TaskContext {
  const { dagId, runId, taskId, tryNumber, logicalDate } = facts
  return {
    dagId,
    runId,
    taskId,
    tryNumber,
    logicalDate: logicalDate === null ? null : new Date(logicalDate),
    dataIntervalStart: new Date(facts.dataIntervalStart),
    dataIntervalEnd: new Date(facts.dataIntervalEnd),
    idempotencyKey: idempotencyKey(facts),
    signal,
    log: (line) => log(`${line}\n`),
    connection: (id) => ask({ what: 'connection', id }) as ReturnType<TaskContext['connection']>,
    variable: (key) => ask({ what: 'variable', key }) as Promise<string>,
    xcomPull: (from, key = 'return_value') => ask({ what: 'xcomPull', taskId: from, key }),
    xcomPush: async (key, value) => void (await ask({ what: 'xcomPush', key, value: toJson(value) })),
  }
}

/** Outputs of the tasks that the function takes; null where there is none. */
async function inputOf(task: Task, context: TaskContext): Promise<unknown> {
  const isTask = (value: unknown): value is Task => typeof value === 'object' && value !== null && 'upstream' in value && 'work' in value
  const given = Object.entries(task.options.input ?? {}).map(async ([name, value]) => [
    name,
    isTask(value) ? await context.xcomPull(value.id) : value,
  ])
  return Object.fromEntries(await Promise.all(given))
}

const sources: TemplateSources = {
  variable: (key) => ask({ what: 'variable', key }) as Promise<string>,
  xcom: (taskId, key) => ask({ what: 'xcomPull', taskId, key }),
  async connection(id) {
    const { type, extra, ...rest } = (await ask({ what: 'connection', id })) as Awaited<ReturnType<TaskContext['connection']>>
    return { ...rest, conn_id: id, conn_type: type, extra: JSON.stringify(extra), extra_dejson: extra }
  },
}

function log(text: string): void {
  if (!isLate()) void tell({ type: 'log', text })
}

function ask(question: Question): Promise<unknown> {
  if (isLate()) return Promise.reject(new Error('The task that asks has ended already. Wait for all that a task begins before it answers.'))
  const id = ++questions
  return new Promise((resolve, reject) => {
    waiting.set(id, { resolve, reject })
    void tell({ type: 'ask', question: id, ask: question })
  })
}

async function finish(outcome: TaskOutcome, isLast = false): Promise<void> {
  const stamps = current ? importsOf(current.url) : {}
  current = null
  await tell({ type: 'done', outcome, stamps, isLast })
}

/** The two endings that a task may choose are known by name: a DAG folder may bring its own copy of our package. */
function failure(error: unknown): { state: 'skipped'; detail: string } | { state: 'failed'; detail: string; isFinal: boolean } {
  const name = error instanceof Error ? error.name : ''
  const detail = messageOf(error)
  if (name === 'SkipTask') return { state: 'skipped', detail }
  void tell({ type: 'log', text: `${inspect(error, { depth: 4 })}\n` })
  return { state: 'failed', detail, isFinal: name === 'FailTask' }
}

/** `value` as JSON keeps it; throws when it cannot, or when it is too large to be handed on. */
function toJson(value: unknown): unknown {
  if (value === undefined) return null
  let text: string | undefined
  try {
    text = JSON.stringify(value)
  } catch (error) {
    throw new Error(`What the task answered cannot be kept as JSON: ${messageOf(error)}. Answer plain data.`)
  }
  if (text === undefined) throw new Error(`What the task answered is a ${typeof value}, which is not JSON. Answer plain data.`)
  const bytes = Buffer.byteLength(text)
  if (bytes > MAX_OUTPUT_BYTES) {
    throw new Error(
      `What the task answered is ${bytes} bytes of JSON; at most ${MAX_OUTPUT_BYTES} go between tasks. Write it to a bucket and answer its path.`,
    )
  }
  return JSON.parse(text)
}
