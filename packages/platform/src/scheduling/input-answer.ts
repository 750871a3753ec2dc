/** What a human answers to a task, and whether it fits what was asked. Pure. */
import { AppError } from '../core/app-error.ts'
import { valueProblems } from './params.ts'
import type { InputRequest, WaitEvent } from './task-instance.ts'

export interface Answer {
  readonly chosen: readonly string[]
  readonly paramsInput: Readonly<Record<string, unknown>>
}

/** The answer as the task hears it, with the defaults of the fields that were left out. Throws `forbidden`, or `invalid` with every problem. */
export function acceptAnswer(request: InputRequest, answer: Answer, { taskId, by, now }: { taskId: string; by: string; now: Date }) {
  checkAnswer(request, answer, { taskId, by })
  const paramsInput = { ...request.params, ...answer.paramsInput }
  return { chosen: answer.chosen, paramsInput, respondedBy: by, respondedAt: now.toISOString() }
}

function checkAnswer(request: InputRequest, { chosen, paramsInput }: Answer, { taskId, by }: { taskId: string; by: string }): void {
  const name = by.replace(/^user:/, '')
  if (request.assignees.length > 0 && !request.assignees.includes(name)) {
    throw new AppError('forbidden', `Task "${taskId}" waits for an answer of ${request.assignees.join(', ')}.`)
  }
  const problems = chosen
    .filter((one) => !request.options.includes(one))
    .map((one) => `"${one}" is not an option: choose of ${request.options.join(', ')}.`)
  if (chosen.length === 0 && request.options.length > 0) problems.push(`Nothing is chosen: choose of ${request.options.join(', ')}.`)
  if (chosen.length > 1 && !request.multiple) problems.push('Only one option can be chosen.')
  for (const name of Object.keys(paramsInput)) if (!fieldsOf(request).includes(name)) problems.push(`There is no field "${name}".`)
  for (const [name, schema] of Object.entries(request.paramSchemas)) {
    problems.push(...valueProblems(name, schema, paramsInput[name] ?? request.params[name]))
  }
  if (problems.length > 0) throw new AppError('invalid', `Task "${taskId}" cannot go on with this answer.`, { problems })
}

/** What a task hears when the time for an answer is over. */
export const unanswered = ({ defaults, params }: InputRequest): WaitEvent =>
  defaults
    ? { value: { chosen: defaults, paramsInput: params, respondedBy: null, respondedAt: null } }
    : { error: 'Nobody has answered in time.' }

/** Names of the further fields, in the order in which they are asked. */
export const fieldsOf = ({ params, paramSchemas }: Pick<InputRequest, 'params' | 'paramSchemas'>): readonly string[] => [
  ...new Set([...Object.keys(params), ...Object.keys(paramSchemas)]),
]
