/** What the platform itself writes into the log of a try. */
import type { TaskLog } from '../../execution/task-log.ts'
import type { TaskOutcome } from '../../execution/task-outcome.ts'
import type { Attempt } from '../../scheduling/task-runner.ts'

export function beginning(attempt: Attempt, pid: number | undefined): string {
  const { taskId, mapIndex, tryNumber, resume } = attempt
  const name = mapIndex < 0 ? taskId : `${taskId}[${mapIndex}]`
  return `Try ${tryNumber} of task "${name}" ${resume ? 'goes on' : 'begins'} in worker ${pid ?? '?'}.\n`
}

export function ending(outcome: TaskOutcome): string {
  if (outcome.state === 'success') return 'The task has ended as success.'
  if (outcome.state === 'rescheduled') return `The task gives its slot back and goes on at ${outcome.at}.`
  if (outcome.state !== 'deferred') return `The task has ended as ${outcome.state}: ${outcome.detail}`
  const { wait } = outcome
  return `The task is deferred: it waits ${wait.kind === 'time' ? `until ${wait.at}` : wait.kind === 'trigger' ? `for its trigger "${wait.name}"` : 'for an answer'}.`
}

/** Writes what the task says, and remembers whether it is within a line. */
export class LastLine {
  readonly #log: TaskLog
  #isWithin = false

  constructor(log: TaskLog) {
    this.#log = log
  }

  readonly write = (text: string): void => {
    this.#isWithin = !text.endsWith('\n')
    this.#log.write(text)
  }

  end(text: string): void {
    this.#log.write(`${this.#isWithin ? '\n' : ''}${text}`)
  }
}
