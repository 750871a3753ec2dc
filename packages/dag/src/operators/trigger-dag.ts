/** Starts a run of another DAG, and may wait for it. The wait holds no worker. */
import { DagDefinitionError, Place } from '../definition-error.ts'
import { type Duration, durationSeconds, notADuration } from '../duration.ts'
import { hashOf } from '../hash.ts'
import { toInstant } from '../instant.ts'
import type { Operator } from '../operator.ts'
import { Defer, FailTask, SkipTask } from '../outcome.ts'
import type { DagRunFacts, TaskContext } from '../task-context.ts'

export interface TriggerDagOptions {
  readonly dagId: string
  readonly conf?: Readonly<Record<string, unknown>>
  /** ISO instant or a template of one. Default: the run stands for its interval alone. */
  readonly logicalDate?: Date | string
  /** Default: one that belongs to this task in this run, so that another try of it does not start a second run. */
  readonly runId?: string
  /** Whether to wait until the run has ended; the task fails when the run has. Default false. */
  readonly wait?: boolean
  /** Between two looks at the run. Default one minute. */
  readonly pollInterval?: Duration
  /** Default: it waits as long as it takes. */
  readonly timeout?: Duration
  /** Clears a run of that id or logical date that is there already, and lets it run again. Default false. */
  readonly resetDagRun?: boolean
  /** Ends as skipped when there is a run of that id or logical date already. Default false: it fails. */
  readonly skipWhenAlreadyExists?: boolean
  readonly note?: string
}

interface TriggerDagArgs extends Omit<TriggerDagOptions, 'logicalDate' | 'pollInterval' | 'timeout'> {
  readonly logicalDate?: string
}

export function triggerDag(options: TriggerDagOptions): Operator<TriggerDagArgs, DagRunFacts> {
  const { pollInterval = '60s', timeout, logicalDate, ...rest } = options
  const [pollSeconds, timeoutSeconds] = [durationSeconds(pollInterval), timeout === undefined ? null : durationSeconds(timeout)]
  const problems = [
    ...(pollSeconds === null ? [`pollInterval ${notADuration(pollInterval)}`] : []),
    ...(timeout !== undefined && timeoutSeconds === null ? [`timeout ${notADuration(timeout)}`] : []),
  ]
  if (problems.length > 0) throw new DagDefinitionError(`triggerDag of "${options.dagId}" cannot be${new Place()}.`, problems)
  return {
    name: 'TriggerDag',
    args: {
      ...rest,
      ...(logicalDate !== undefined && { logicalDate: typeof logicalDate === 'string' ? logicalDate : logicalDate.toISOString() }),
    },
    templateFields: ['dagId', 'runId', 'logicalDate', 'conf', 'note'],
    async run(args, context) {
      const run = await started(args, context)
      context.log(`Run "${run.runId}" of DAG "${run.dagId}" is ${run.state}.`)
      if (!args.wait) return run
      if (isEnded(run)) return succeeded(run)
      throw new Defer({
        trigger: 'ended',
        args: { dagId: run.dagId, runId: run.runId },
        ...(timeoutSeconds !== null && { timeout: timeoutSeconds }),
      })
    },
    async resume(_args, event) {
      if ('error' in event) throw new Error(event.error)
      return succeeded(event.value as DagRunFacts)
    },
    triggers: {
      async ended({ dagId, runId }: { readonly dagId: string; readonly runId: string }, context): Promise<DagRunFacts> {
        for (;;) {
          const run = await context.dagRuns.find({ dagId, runId })
          if (!run) throw new Error(`Run "${runId}" of DAG "${dagId}" has been deleted.`)
          if (isEnded(run)) return run
          await context.sleep((pollSeconds ?? 0) * 1000)
        }
      },
    },
  }
}

const isEnded = ({ state }: DagRunFacts): boolean => state === 'success' || state === 'failed'

function succeeded(run: DagRunFacts): DagRunFacts {
  if (run.state === 'failed') throw new Error(`Run "${run.runId}" of DAG "${run.dagId}" has failed.`)
  return run
}

/** The run that is triggered; one that an earlier try has started is joined, unless it has failed. */
async function started(args: TriggerDagArgs, context: TaskContext): Promise<DagRunFacts> {
  const { dagId, conf, note, resetDagRun: reset = false } = args
  const logicalDate = args.logicalDate === undefined ? undefined : instantOf(args.logicalDate, context.timezone)
  const request = { dagId, ...(conf && { conf }), ...(note !== undefined && { note }), ...(logicalDate !== undefined && { logicalDate }) }
  const mark = (await context.xcomPull(context.taskId, TRIGGERED, context.mapIndex >= 0 ? { mapIndex: context.mapIndex } : {})) as
    | string
    | null
  if (mark !== null && context.tryNumber > 1) {
    const earlier = await context.dagRuns.find({ dagId, runId: mark })
    if (earlier && earlier.state !== 'failed') return earlier
  }
  const runId = args.runId ?? ownRunId(context)
  // Said before it is done: whoever comes after a lost worker looks for it.
  await context.xcomPush(TRIGGERED, runId)
  const existing =
    (await context.dagRuns.find({ dagId, runId })) ??
    (logicalDate === undefined ? null : await context.dagRuns.find({ dagId, logicalDate }))
  if (existing && !reset) {
    if (args.runId === undefined && existing.runId === runId) return existing
    const detail = `DAG "${dagId}" has the run "${existing.runId}" already.`
    if (args.skipWhenAlreadyExists) throw new SkipTask(detail)
    throw new FailTask(`${detail} Give another run id or logical date, or set resetDagRun or skipWhenAlreadyExists.`)
  }
  return context.dagRuns.trigger({ ...request, runId: existing?.runId ?? runId, ...(reset && { reset }) })
}

/** The longest id that a run may have. */
const LONGEST_RUN_ID = 250

/** An id that only this try of this task can come to; a long one, as of a run that was itself triggered so, is cut and ends in a hash. */
function ownRunId({ idempotencyKey, firstStartedAt, tryNumber }: TaskContext): string {
  // An instance of a mapped task ends in its index in brackets, which ids of runs may not have.
  const whole = `triggered__${idempotencyKey.replaceAll('/', '__').replace(/\[(\d+)\]$/, '~$1')}`
  const ending = `__${firstStartedAt.getTime()}__${tryNumber}`
  if (whole.length + ending.length <= LONGEST_RUN_ID) return `${whole}${ending}`
  const hash = `~${hashOf(idempotencyKey).toString(16)}`
  return `${whole.slice(0, LONGEST_RUN_ID - hash.length - ending.length)}${hash}${ending}`
}

function instantOf(text: string, timezone: string): string {
  const instant = toInstant(text, timezone)
  if (!instant)
    throw new FailTask(`triggerDag is given the logical date "${text}", which is not a date. Write one such as "2026-11-02T05:00:00Z".`)
  return instant.toISOString()
}

const TRIGGERED = 'trigger_run_id'
