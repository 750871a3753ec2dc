/** Questions of tasks to humans, in a test: answered in advance, at the terminal, or by nobody. */
import type { HumanAnswers, HumanQuestion } from '../cli/host.ts'
import { AppError, didYouMean } from '../core/app-error.ts'
import { type Answer, fieldsOf } from '../scheduling/input-answer.ts'
import type { InputRequest } from '../scheduling/task-instance.ts'

interface Asking {
  readonly taskId: string
  readonly mapIndex: number
}

export class TestedQuestions {
  readonly #answers: HumanAnswers
  readonly #onLine: (line: string) => void
  /** One at a time: there is one terminal. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(answers: HumanAnswers, onLine: (line: string) => void) {
    this.#answers = answers
    this.#onLine = onLine
  }

  /** Throws `invalid` when something is answered that no task of the DAG asks. */
  check(dagId: string, taskIds: readonly string[]): void {
    const problems = [...this.#answers.given.keys()]
      .filter((taskId) => !taskIds.includes(taskId))
      .map((taskId) => `DAG "${dagId}" has no task "${taskId}" that could be answered.${didYouMean(taskId, taskIds)}`)
    if (problems.length > 0) throw new AppError('invalid', 'These answers are for nobody:', { problems, exitStatus: 2 })
  }

  hasAnswer({ taskId }: Pick<Asking, 'taskId'>): boolean {
    return this.#answers.given.has(taskId) || this.#answers.ask !== null
  }

  /** Whether somebody answers; when not, it is said what becomes of the task: the same as when the time for answers is over. */
  isAnswered({ taskId }: Asking, { subject, options, defaults }: InputRequest): boolean {
    if (this.hasAnswer({ taskId })) return true
    const advice = `--answer ${taskId}=OPTION (${options.join(', ')}) answers in advance; on a terminal you are asked.`
    const end = defaults ? `It goes on with its default, ${defaults.join(', ')}.` : 'It fails.'
    this.#onLine(`Task "${taskId}" asks "${subject}", and nobody is there to answer. ${end} ${advice}`)
    return false
  }

  /**
   * Asks until `accept` takes the answer, and answers what it makes of it. Throws what `accept` says to an answer that was given in advance, and the
   * reason of `signal`.
   */
  ask<T>(of: Asking, request: InputRequest, accept: (answer: Answer, by: string) => T | Promise<T>, signal: AbortSignal): Promise<T> {
    const by = `user:${request.assignees[0] ?? 'test'}`
    const asked = this.#last.then(async () => {
      const given = this.#answers.given.get(of.taskId)
      if (given) return accept(given, by)
      for (let problems: readonly string[] = []; ; ) {
        signal.throwIfAborted()
        if (!this.#answers.ask) throw new AppError('internal', `Nobody can be asked what task "${of.taskId}" asks.`)
        const answer = await this.#answers.ask(questionOf(of, request), problems, signal)
        try {
          return await accept(answer, by)
        } catch (error) {
          if (!(error instanceof AppError) || error.code !== 'invalid') throw error
          problems = error.problems
        }
      }
    })
    this.#last = asked.catch(() => {})
    return asked
  }
}

const questionOf = ({ taskId, mapIndex }: Asking, request: InputRequest): HumanQuestion => ({
  taskId,
  mapIndex,
  subject: request.subject,
  body: request.body,
  options: request.options,
  defaults: request.defaults,
  multiple: request.multiple,
  fields: fieldsOf(request).map((name) => ({
    name,
    ...(Object.hasOwn(request.params, name) && { value: request.params[name] }),
    schema: request.paramSchemas[name] ?? {},
  })),
})
