/** DAGs that somebody brings from Airflow 2, walked through their runs: what falls due at given times, a run by hand beside each, and what each renders. */
import { cronTrigger, type DagDocument, dag, delta, type TaskDocument } from '@daggerboard/dag'
import { TaskAnswers } from '../../packages/platform/src/adapters/process/task-answers.ts'
import { SqliteDagRunStore } from '../../packages/platform/src/adapters/sqlite/dag-run.ts'
import { SqliteDagRunList } from '../../packages/platform/src/adapters/sqlite/dag-run-list.ts'
import { Database } from '../../packages/platform/src/adapters/sqlite/database.ts'
import { StoredTaskPlatform, type TaskPlatformParts } from '../../packages/platform/src/composition/task-platform.ts'
import { dagFacts, type TaskFacts } from '../../packages/platform/src/execution/task-facts.ts'
import { renderArgs } from '../../packages/platform/src/execution/task-template.ts'
import { type DagRun, type DagRunState, NO_CHANGES, scheduledRun } from '../../packages/platform/src/scheduling/dag-run.ts'
import { manualRun } from '../../packages/platform/src/scheduling/manual-run.ts'
import type { Attempt } from '../../packages/platform/src/scheduling/task-runner.ts'
import { type DataInterval, timetable } from '../../packages/platform/src/scheduling/timetable.ts'

/** What becomes of a run. */
interface End {
  readonly state: DagRunState
  readonly startedAt: string
  readonly endedAt: string
  readonly conf: Readonly<Record<string, unknown>>
}

/** As an author writes it: a preset is an expression too. */
export type Schedule =
  | { readonly kind: 'cron' | 'cronTrigger'; readonly expression: string }
  | { readonly kind: 'delta'; readonly seconds: number }
  | { readonly kind: 'once' | 'none' }

export interface Walk {
  readonly dagId: string
  readonly schedule: Schedule
  readonly zone: string
  readonly startDate: string
  readonly endDate: string | null
  readonly catchup: boolean
  readonly params: Readonly<Record<string, unknown>>
  readonly isTest: boolean
  readonly templates: readonly string[]
  readonly steps: readonly { readonly now: string; readonly scheduled: End; readonly manual: End & { readonly now: string } }[]
}

export interface Step {
  /** Milliseconds: logical date, start and end of the interval, the time from which it may start. */
  readonly run: readonly [number, number, number, number] | null
  readonly manual: readonly [number, number]
  /** What the templates come to; an object with the error where they do not. */
  readonly runs: readonly { readonly runId: string; readonly texts: readonly unknown[] }[]
}

const unasked = {} as never

function scheduleOf(schedule: Schedule) {
  switch (schedule.kind) {
    case 'cron':
      return schedule.expression
    case 'cronTrigger':
      return cronTrigger(schedule.expression)
    case 'delta':
      return delta({ seconds: schedule.seconds })
    case 'once':
      return '@once'
    case 'none':
      return null
  }
}

function documentOf({ dagId, schedule, zone, startDate, endDate, catchup, params }: Walk): DagDocument {
  const options = { schedule: scheduleOf(schedule), timezone: zone, startDate, ...(endDate && { endDate }), catchup, params }
  return dag(dagId, options, ({ task }) => void task('train', async () => {}, { owner: 'ml', retries: 2 })).document
}

export async function walked(walk: Walk): Promise<Step[]> {
  const db = new Database(':memory:')
  const store = new SqliteDagRunStore(db)
  const document = documentOf(walk)
  const { runs, steps } = made(walk, document)
  await store.record({ ...NO_CHANGES, created: runs.flat() })
  const parts = {
    runs: store,
    runList: new SqliteDagRunList(db, store),
    scheduler: unasked,
    dags: unasked,
    instances: unasked,
    assets: unasked,
  }
  const platform = new StoredTaskPlatform(parts satisfies TaskPlatformParts)
  const answers = new TaskAnswers({ platform, secrets: unasked, xcoms: unasked, clock: unasked })
  const found = await Promise.all(
    steps.map(async (step, i) => ({
      ...step,
      runs: await Promise.all(
        (runs[i] ?? []).map(async (run) => ({ runId: run.runId, texts: await rendered(walk, document, run, answers) })),
      ),
    })),
  )
  db.close()
  return found
}

function made({ dagId, startDate, endDate, catchup, steps }: Walk, { schedule, timezone }: DagDocument) {
  const times = timetable(schedule, timezone)
  const restriction = { earliest: new Date(startDate), latest: endDate ? new Date(endDate) : null, catchup }
  let last: DataInterval | null = null
  const runs: DagRun[][] = []
  const found = steps.map(({ now: text, scheduled, manual }) => {
    const now = new Date(text)
    const due = times.next(last, restriction, now)
    const byHand = manualRun(
      { dagId } as never,
      times,
      { logicalDate: new Date(manual.now), conf: manual.conf },
      new Date(manual.now),
      'admin',
    )
    const isDue = due !== null && due.runAfter <= now
    if (isDue) last = due.interval
    const ended = (run: DagRun, { state, startedAt, endedAt, conf }: End): DagRun => ({ ...run, state, startedAt, endedAt, conf })
    runs.push([...(isDue ? [ended(scheduledRun(dagId, due, now), scheduled)] : []), ended(byHand, manual)])
    const span = [Date.parse(byHand.dataIntervalStart), Date.parse(byHand.dataIntervalEnd)] as const
    return { run: due && ([+due.logicalDate, +due.interval.start, +due.interval.end, +due.runAfter] as const), manual: span }
  })
  return { runs, steps: found }
}

async function rendered({ templates, isTest }: Walk, document: DagDocument, run: DagRun, answers: TaskAnswers): Promise<unknown[]> {
  const { dagId, runId, runType, logicalDate, dataIntervalStart, dataIntervalEnd, conf } = run
  const facts: TaskFacts = {
    ...{ dagId, runId, taskId: 'train', mapIndex: -1, tryNumber: 1, maxTries: 2, runType, logicalDate, dataIntervalStart, dataIntervalEnd },
    ...{ runAfter: run.runAfter, runQueuedAt: run.queuedAt, runStartedAt: run.startedAt },
    ...{ previousIntervalStart: null, conf, startedBy: 'system', resume: null, firstStartedAt: null, rescheduleCount: 0, mapCount: null },
    ...{ isTest, task: document.tasks[0] as TaskDocument, dag: dagFacts(document) },
  }
  const attempt = { ...facts, dag: document } as unknown as Attempt
  const host = {
    now: () => new Date(run.startedAt ?? run.runAfter),
    ask: (question: Parameters<TaskAnswers['answer']>[1]) => answers.answer(attempt, question),
  }
  const one = (template: string) =>
    renderArgs(template, facts, { host } as never).catch((error: Error) => ({ error: `${error.name}: ${error.message}` }))
  return Promise.all(templates.map(one))
}
