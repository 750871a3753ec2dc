/** Tasks that wait for the answer of a human. They hold no worker. */
import { DagDefinitionError, Place } from '../definition-error.ts'
import type { Duration } from '../duration.ts'
import { durationSeconds, notADuration } from '../duration.ts'
import type { Operator } from '../operator.ts'
import {
  branchTo,
  type Decision,
  Defer,
  type DeferredEvent,
  FailTask,
  goOn,
  type InputAnswer,
  type InputQuestion,
  skipAfter,
} from '../outcome.ts'
import { type Params, paramDocuments } from '../param.ts'
import type { TaskContext } from '../task-context.ts'

interface QuestionOptions {
  /** What is asked, in a line; a template, as is `body`. */
  readonly subject: string
  /** Markdown. */
  readonly body?: string
  /** What may be chosen. */
  readonly options?: readonly string[]
  /** Chosen when nobody answers within `timeout`; without them the task fails then. */
  readonly defaults?: string | readonly string[]
  /** Whether several may be chosen. Default false. */
  readonly multiple?: boolean
  /** Names of users who may answer. Default: everybody who may run DAGs. */
  readonly assignees?: string | readonly string[]
  /** Further fields of the form. */
  readonly params?: Params
  /** Default: it waits as long as it takes. */
  readonly timeout?: Duration
}

type Question = InputQuestion & { readonly timeoutSeconds: number | null }

/** Asks a human and answers what was chosen, with the further fields. */
export const humanInput = (options: QuestionOptions): Operator<Question, InputAnswer> =>
  asking('HumanInput', question(options, ['OK']), (answer) => answer)

const APPROVE = 'Approve'
const REJECT = 'Reject'

/**
 * Asks whether to go on. After `Reject` the tasks after it are skipped, all of them or (`ignoreDownstreamTriggerRules: false`) those right after it;
 * with `failOnReject` the task fails instead.
 */
export function approval(
  options: QuestionOptions & { readonly failOnReject?: boolean; readonly ignoreDownstreamTriggerRules?: boolean },
): Operator<Question, Decision<InputAnswer>> {
  const { failOnReject = false, ignoreDownstreamTriggerRules = true, ...asked } = options
  return {
    ...asking('Approval', question(asked, [APPROVE, REJECT]), (answer) => {
      if (!answer.chosen.includes(REJECT)) return goOn(answer)
      if (failOnReject) throw new FailTask(`${answer.respondedBy ?? 'Nobody in time, so the default'} has chosen "${REJECT}".`)
      return skipAfter(answer, ignoreDownstreamTriggerRules ? 'descendants' : 'direct')
    }),
    flow: 'shortCircuit',
  }
}

/** Asks where to go on: the options are the ids of tasks right after it, or `follow` says which task (or tasks) each option means. */
export function humanBranch(
  options: QuestionOptions & { readonly follow?: Readonly<Record<string, string | readonly string[]>> },
): Operator<Question, Decision<readonly string[]>> {
  const { follow = {}, ...asked } = options
  return {
    ...asking('HumanBranch', question(asked, Object.keys(follow)), (answer) =>
      branchTo(...answer.chosen.flatMap((option) => follow[option] ?? option)),
    ),
    flow: 'branch',
  }
}

function asking<Output>(name: string, args: Question, decide: (answer: InputAnswer) => Output): Operator<Question, Output> {
  return {
    name,
    args,
    templateFields: ['subject', 'body'],
    async run({ timeoutSeconds, ...input }) {
      throw new Defer({ input, ...(timeoutSeconds !== null && { timeout: timeoutSeconds }) })
    },
    async resume({ defaults, params }: Question, event: DeferredEvent, context: TaskContext) {
      if ('value' in event) return decide(event.value as InputAnswer)
      if (defaults === null) throw new FailTask(event.error)
      context.log(`Nobody has answered in time: ${defaults.join(', ')}, by default.`)
      return decide({ chosen: defaults, paramsInput: params, respondedBy: null, respondedAt: null })
    },
  }
}

function question(given: QuestionOptions, fallback: readonly string[]): Question {
  const { subject, body = null, options = fallback, multiple = false, params = {}, timeout } = given
  const problems: string[] = []
  const documents = paramDocuments(params, 'The params of a question', problems)
  const defaults = given.defaults === undefined ? null : ([given.defaults].flat() as string[])
  const timeoutSeconds = timeout === undefined ? null : durationSeconds(timeout)
  if (timeout !== undefined && timeoutSeconds === null) problems.push(`Its timeout ${notADuration(timeout)}`)
  if (options.length === 0) problems.push('It has no options. Name at least one.')
  if (new Set(options).size !== options.length) problems.push(`Its options ${options.join(', ')} have one of them twice.`)
  for (const one of defaults ?? []) {
    if (!options.includes(one)) problems.push(`Its default "${one}" is none of the options ${options.join(', ')}.`)
  }
  if (defaults && defaults.length > 1 && !multiple)
    problems.push('It has several defaults, but only one may be chosen. Set multiple, or leave one.')
  if (problems.length > 0) throw new DagDefinitionError(`The question "${subject}" cannot be asked${new Place()}.`, problems)
  const assignees = [given.assignees ?? []].flat() as string[]
  return {
    subject,
    body,
    options,
    defaults,
    multiple,
    assignees,
    params: documents.values,
    paramSchemas: documents.schemas,
    timeoutSeconds,
  }
}
