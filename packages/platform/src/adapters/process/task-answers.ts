/** Answers what tasks and callbacks ask the platform while they run. */
import type { Clock } from '../../core/clock.ts'
import { principal, TASK_PERMISSIONS } from '../../core/principal.ts'
import { taskSubject } from '../../execution/task-facts.ts'
import { findInputs, readOutput, type TaskInputs } from '../../execution/task-input.ts'
import type { Neighbours, Question, TaskPlatform } from '../../execution/task-question.ts'
import type { TaskSecrets } from '../../execution/task-secrets.ts'
import type { Attempt } from '../../scheduling/task-runner.ts'
import { type DueRun, timetable } from '../../scheduling/timetable.ts'
import type { XComStore } from '../../scheduling/xcom.ts'

export interface AnswersOptions {
  readonly secrets: TaskSecrets
  readonly xcoms: XComStore
  readonly clock: Clock
  /** Answers what tasks ask about runs. */
  readonly platform?: TaskPlatform
}

export class TaskAnswers {
  readonly #options: AnswersOptions

  constructor(options: AnswersOptions) {
    this.#options = options
  }

  /** What the tasks before it have left for it; rejects with `invalid` when that does not fit. */
  inputs(attempt: Attempt): Promise<TaskInputs> {
    return findInputs(attempt.dag, attempt.task, attempt.mapIndex, this.#outputs(attempt, 'return_value'))
  }

  #outputs({ dagId, runId }: Pick<Attempt, 'dagId' | 'runId'>, key: string) {
    const { xcoms } = this.#options
    return {
      one: async (taskId: string, mapIndex: number) => (await xcoms.find(dagId, runId, taskId, key, mapIndex))?.value ?? null,
      all: async (taskId: string) => {
        const found = await xcoms.list(dagId, runId, taskId)
        return found
          .filter((xcom) => xcom.key === key && xcom.mapIndex >= 0)
          .sort((a, b) => a.mapIndex - b.mapIndex)
          .map(({ value }) => value)
      },
    }
  }

  /** `about` is a try, or only the run when a callback of the DAG asks. Rejects with a sentence for the author. */
  async answer(about: Attempt | Pick<Attempt, 'dagId' | 'runId'>, question: Question): Promise<unknown> {
    const { secrets, xcoms, clock, platform } = this.#options
    const { dagId, runId } = about
    const isTry = 'taskId' in about
    const who = principal(isTry ? taskSubject(about) : `task:${dagId}/${runId}/callback#1`, TASK_PERMISSIONS)
    if (question.what === 'variable') return secrets.variable(question.key, who)
    if (question.what === 'connection') return secrets.connection(question.id, who)
    if (question.what === 'platform') {
      if (question.ask.what === 'neighbours' && isTry) return neighboursOf(about)
      if (!platform) throw new Error('This platform answers no questions about runs.')
      return platform.answer(question.ask, who.subject)
    }
    if (!isTry) throw new Error('A callback of a DAG has no XComs.')
    const { taskId, mapIndex } = about
    if (question.what === 'xcomPush') {
      await xcoms.save({ dagId, runId, taskId, mapIndex, key: question.key, value: question.value, at: clock.now().toISOString() })
      return null
    }
    const outputs = this.#outputs(about, question.key)
    if (question.mapIndex !== undefined) return outputs.one(question.taskId, question.mapIndex)
    return readOutput(about.dag, about.task, mapIndex, question.taskId, outputs)
  }
}

/** The logical dates before and after, by the schedule alone. */
function neighboursOf({ dag, dataIntervalStart, dataIntervalEnd }: Attempt): Neighbours {
  const interval = { start: new Date(dataIntervalStart), end: new Date(dataIntervalEnd) }
  const times = timetable(dag.schedule, dag.timezone)
  const dateOf = (run: DueRun | null) => run?.logicalDate.toISOString() ?? null
  return { previous: dateOf(times.previousOf(interval)), next: dateOf(times.nextOf(interval)) }
}
