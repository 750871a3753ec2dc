/** A pool of real workers over a DAG file that a test writes, and the means to run its tasks and to see what came of them. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { pathToFileURL } from 'node:url'
import type { Dag } from '@daggerboard/dag'
import { followImports } from '../src/adapters/process/dag-imports.ts'
import { WorkerPool, type WorkerPoolOptions } from '../src/adapters/process/worker-pool.ts'
import { Database } from '../src/adapters/sqlite/database.ts'
import { SqliteTaskLogs } from '../src/adapters/sqlite/task-log.ts'
import { SqliteXComStore } from '../src/adapters/sqlite/xcom.ts'
import { systemClock } from '../src/core/clock.ts'
import type { PlatformQuestion } from '../src/execution/task-question.ts'
import type { Attempt, AttemptResult } from '../src/scheduling/task-runner.ts'

followImports()

interface Given extends Partial<Attempt> {
  readonly signal?: AbortSignal
  readonly onStart?: () => void
}

/** Ends with the test. `text` is the DAG file below its imports: `dag`, and all else of the package as `kit`. */
export async function poolOver(t: TestContext, text: string, options: Partial<WorkerPoolOptions> = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'workers-'))
  const path = join(folder, 'd.ts')
  await writeFile(path, `import * as kit from '@daggerboard/dag'\nconst { dag } = kit\n${text}`)
  // The documents come from the file, as they do from the loader.
  const { default: written } = (await import(pathToFileURL(path).href)) as { default: Dag }
  const mask = (said: string) => said.replaceAll('hunter22', '***')
  const logs = new SqliteTaskLogs({ db: new Database(':memory:'), clock: systemClock, mask })
  const xcoms = new SqliteXComStore(new Database(':memory:'))
  const asked: PlatformQuestion[] = []
  const platform = {
    answer: async (question: PlatformQuestion) => {
      asked.push(question)
      return question.what === 'triggeringAssetEvents'
        ? [{ name: 'rows', uri: 'rows', at: '2019-10-07T05:00:00Z', extra: { n: 7 }, source: null }]
        : null
    },
  }
  const secrets = { mask, variable: async () => 'hunter22', connection: () => Promise.reject(new Error('none')) }
  const workers = new WorkerPool({ folder, secrets, xcoms, logs, clock: systemClock, graceMs: 300, platform, ...options })
  t.after(async () => {
    await workers.stop()
    await rm(folder, { recursive: true, force: true })
  })
  const attempt = (taskId: string, given: Partial<Attempt> = {}): Attempt => {
    const task = written.document.tasks.find((one) => one.taskId === taskId)
    if (!task) throw new Error(`no task ${taskId}`)
    return {
      attemptId: 'x',
      dagId: 'd',
      runId: 'r',
      taskId,
      mapIndex: -1,
      tryNumber: 1,
      maxTries: 0,
      runType: 'scheduled',
      logicalDate: '2019-09-30T05:00:00.000Z',
      dataIntervalStart: '2019-09-30T05:00:00.000Z',
      dataIntervalEnd: '2019-10-07T05:00:00.000Z',
      previousIntervalStart: null,
      runAfter: '2019-10-07T05:00:00.000Z',
      runQueuedAt: '2019-10-07T05:00:01.000Z',
      runStartedAt: '2019-10-07T05:00:02.000Z',
      conf: {},
      startedBy: 'system',
      file: 'd.ts',
      task,
      dag: written.document,
      resume: null,
      firstStartedAt: null,
      rescheduleCount: 0,
      mapCount: null,
      ...given,
    }
  }
  const run = async (taskId: string, { signal = new AbortController().signal, onStart = () => {}, ...given }: Given = {}) => {
    const { startedAt: _, endedAt: _end, ...result } = await workers.run(attempt(taskId, given), signal, onStart)
    return result as Record<string, unknown> & AttemptResult
  }
  const output = async (taskId: string, given: Given = {}) => (await run(taskId, given)).output
  const leave = (taskId: string, value: unknown, mapIndex = -1) =>
    xcoms.save({ dagId: 'd', runId: 'r', taskId, mapIndex, key: 'return_value', value, at: '2019-10-07T05:00:00Z' })
  const log = async (taskId: string, mapIndex = -1) => (await logs.read({ dagId: 'd', runId: 'r', taskId, mapIndex, tryNumber: 1 })) ?? ''
  return { folder, workers, attempt, run, output, leave, log, asked }
}
