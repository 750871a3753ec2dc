/** `dags test`: a whole run in this process, with the real scheduler and workers over a store in memory. */
import { once } from 'node:events'
import type { DagDocument } from '@daggerboard/dag'
import { SqliteBackfillStore } from '../adapters/sqlite/backfill.ts'
import { SqliteDagStore } from '../adapters/sqlite/dag.ts'
import { SqliteDagRunStore } from '../adapters/sqlite/dag-run.ts'
import { SqlitePoolStore } from '../adapters/sqlite/pool.ts'
import { SqliteTaskInstanceStore } from '../adapters/sqlite/task-instance.ts'
import type { DagTest, TestedRun } from '../cli/host.ts'
import { systemClock } from '../core/clock.ts'
import type { Answer } from '../scheduling/input-answer.ts'
import { DEFAULT_POOL } from '../scheduling/pool.ts'
import { Scheduler } from '../scheduling/scheduler.ts'
import { instanceKey } from '../scheduling/task-instance.ts'
import type { InstanceKey, TaskRunner } from '../scheduling/task-runner.ts'
import type { Settings } from '../settings.ts'
import { consoleLogger } from './console-logger.ts'
import { schedulerLimits } from './scheduling-settings.ts'
import { TestedQuestions } from './tested-questions.ts'
import { Workshop } from './workshop.ts'

export async function testDag(settings: Settings, order: DagTest): Promise<TestedRun> {
  const { dagId, logicalDate, conf, skips, onLine, signal } = order
  const questions = new TestedQuestions(order.answers, onLine)
  const workshop = await Workshop.open({ settings, onLine })
  const { db, events, pool } = workshop
  const [dags, runs, instances] = [new SqliteDagStore(db), new SqliteDagRunStore(db), new SqliteTaskInstanceStore(db)]
  const pools = new SqlitePoolStore(db, settings.defaultPoolSlots)
  const calls = new Set<Promise<void>>()
  const scheduler = new Scheduler({
    ...{ dags, runs, instances, events, clock: systemClock, logger: consoleLogger, limits: schedulerLimits(settings) },
    pools,
    backfills: new SqliteBackfillStore(db),
    runner: testing(pool, skips, questions, calls),
  })
  try {
    const { file, source, document } = await workshop.read(dagId)
    questions.check(
      dagId,
      document.tasks.map(({ taskId }) => taskId),
    )
    for (const known of await workshop.pools()) await pools.save(known)
    const names = new Set((await pools.list()).map(({ name }) => name))
    const strange = new Set(document.tasks.map((task) => task.pool).filter((name) => !names.has(name)))
    for (const name of strange) onLine(`There is no pool "${name}" here: its tasks take slots of ${DEFAULT_POOL}.`)
    await dags.saveReading({ file, source, documents: [alone(document, names)] }, systemClock.now().toISOString(), false)
    await scheduler.start()
    const over = Promise.withResolvers<void>()
    signal.addEventListener('abort', () => over.reject(signal.reason), { once: true })
    /** Ends the asking when the time for it is over. */
    const asked = new Map<string, AbortController>()
    const answer = async (of: InstanceKey) => {
      const { deferral } = (await instances.find(of.dagId, of.runId, of.taskId, of.mapIndex)) ?? {}
      if (deferral?.wait.kind !== 'input' || !questions.hasAnswer(of)) return
      const asking = new AbortController()
      asked.set(instanceKey(of), asking)
      const accept = (given: Answer, by: string) => scheduler.answerInput(of.dagId, of.runId, of.taskId, of.mapIndex, given, by)
      await questions.ask(of, deferral.wait.request, accept, AbortSignal.any([signal, asking.signal])).catch((error) => {
        if (!asking.signal.aborted) throw error
      })
    }
    const stop = events.subscribe((event) => {
      if (event.type === 'task_instance.changed') {
        const { taskId, mapIndex, state, detail } = event.facts
        onLine(`${taskId}${mapIndex < 0 ? '' : `[${mapIndex}]`} is ${state}${detail ? `: ${detail}` : ''}`)
        const key = instanceKey(event.facts)
        asked.get(key)?.abort()
        asked.delete(key)
        if (state === 'deferred') answer(event.facts).catch(over.reject)
      }
      if (event.type === 'dag_run.changed' && ['success', 'failed'].includes(event.facts.state)) over.resolve()
    })
    const { runId } = await scheduler.trigger(
      dagId,
      { logicalDate: logicalDate === null ? null : new Date(logicalDate), conf, triggeredBy: 'test' },
      'user:test',
    )
    await over.promise
    stop()
    // The callbacks of the run, and of what ended with it, are begun right after its end is told.
    await new Promise(setImmediate)
    if (!signal.aborted) await Promise.race([Promise.allSettled(calls), once(signal, 'abort')])
    const run = await runs.find(dagId, runId)
    const tasks = await instances.listOfRun(dagId, runId)
    return {
      runId,
      state: run?.state ?? 'failed',
      logicalDate: run?.logicalDate ?? null,
      tasks: tasks.map(({ taskId, mapIndex, state, tryNumber }) => ({
        task_id: taskId,
        map_index: mapIndex,
        state,
        try_number: tryNumber,
      })),
    }
  } finally {
    await scheduler.stop()
    await workshop.close()
  }
}

/** Its schedule is over and it is not paused, so that this one run is all that there is; of a pool that is not there the default one stands in. */
const alone = (document: DagDocument, pools: ReadonlySet<string>): DagDocument => ({
  ...document,
  endDate: '1970-01-01T00:00:00.000Z',
  isPausedUponCreation: false,
  tasks: document.tasks.map((task) => (pools.has(task.pool) ? task : { ...task, pool: DEFAULT_POOL, poolSlots: 1 })),
})

const testing = (
  runner: TaskRunner,
  skips: (taskId: string) => boolean,
  questions: TestedQuestions,
  calls: Set<Promise<void>>,
): TaskRunner => ({
  async run(attempt, signal, onStart) {
    if (skips(attempt.taskId)) {
      onStart()
      return { state: 'success', output: null, renderedFields: null }
    }
    const result = await runner.run({ ...attempt, isTest: true } as typeof attempt, signal, onStart)
    const asks = result.state === 'deferred' && result.wait.kind === 'input' ? result.wait.request : null
    return asks && !questions.isAnswered(attempt, asks) ? ({ ...result, timeoutSeconds: 0 } as typeof result) : result
  },
  wait: (attempt, wait, signal) => runner.wait(attempt, wait, signal),
  call(callback, signal) {
    const call = runner.call(callback, signal)
    calls.add(call)
    return call
  },
  stop: () => runner.stop(),
})
