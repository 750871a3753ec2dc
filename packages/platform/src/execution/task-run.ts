/** Runs one try of a task: whoever calls it lends it a log, a clock, a signal and somebody to ask. Knows of no process. */
import {
  type Dag,
  type Decision,
  FailTask,
  isDecision,
  type MappedOperator,
  type Operator,
  SkipTask,
  type Task,
  type TaskContext,
} from '@daggerboard/dag'
import { didYouMean, messageOf } from '../core/app-error.ts'
import { callbacksOf, callCallbacks } from './callback.ts'
import { failureOutcome } from './failure.ts'
import { type GivenInputs, givenInputs } from './mapped-element.ts'
import { Outlets, type TaskHost, taskContext } from './task-context.ts'
import type { TaskFacts } from './task-facts.ts'
import type { TaskInputs } from './task-input.ts'
import type { TaskOutcome } from './task-outcome.ts'
import { toJson } from './task-output.ts'
import type { TemplatePlace } from './template-file.ts'

export interface TaskWork {
  readonly dag: Dag
  readonly task: Task
  readonly facts: TaskFacts
  /** Null: the constants of its document are all that there is. */
  readonly inputs: TaskInputs | null
  readonly host: TaskHost
  /** Renders the args; told apart so that workers which have nothing to render need not load templates. */
  readonly render: Render
}

export type Render = (args: unknown, facts: TaskFacts, options: RenderOptions) => Promise<unknown>

export interface RenderOptions {
  readonly host: TaskHost
  readonly input: Readonly<Record<string, unknown>>
  readonly place?: string
  readonly fields?: readonly string[]
  readonly extensions?: readonly string[]
  /** Where template files may be; left out, there are none. */
  readonly files?: TemplatePlace
  /** Further names. */
  readonly names?: Readonly<Record<string, unknown>>
}

/** Never rejects: what the task throws is its outcome. */
export async function runTask(work: TaskWork): Promise<TaskOutcome> {
  const { facts, task, host, dag } = work
  const seen: { renderedFields: unknown } = { renderedFields: null }
  try {
    const given = givenInputs(task, facts, work.inputs)
    const outlets = new Outlets(facts.task.outlets)
    const context = await taskContext(facts, given.input, host, outlets)
    if (facts.task.callbacks.onExecute && !facts.resume && !facts.isDryRun) {
      const about = { which: 'onExecute', dagId: facts.dagId, runId: facts.runId, reason: 'The task begins.' }
      await callCallbacks(callbacksOf(dag, task, 'onExecute'), about, facts, dag, host)
    }
    // Who is told to end before he has begun need not look.
    host.signal.throwIfAborted()
    if (facts.resume && 'ends' in facts.resume) {
      const { error, ends } = facts.resume
      throw ends === 'skipped' ? new SkipTask(error) : new FailTask(error)
    }
    const performed = perform(work, given, context, seen)
    const brokenOff = host.brokenOff?.()
    const answer = await (brokenOff ? Promise.race([performed, brokenOff]) : performed)
    const isChoice = isDecision(answer)
    if (isChoice) checkFollowed(answer, facts)
    const output = toJson(isChoice ? answer.output : answer)
    const label = facts.task.mapIndexTemplate === null ? null : await mapLabel(work, given, output)
    return {
      state: 'success',
      output,
      renderedFields: seen.renderedFields,
      ...(isChoice && answer.skip && { skip: answer.skip }),
      ...(label !== null && { mapLabel: label }),
      ...(!outlets.isEmpty && { assetEvents: outlets.events }),
    }
  } catch (error) {
    return { ...failureOutcome(error, task, host), renderedFields: seen.renderedFields }
  }
}

/** A branch that goes nowhere would skip all that comes after it, and the run would succeed. */
function checkFollowed({ skip }: Decision, { taskId, task }: TaskFacts): void {
  if (!skip || !('followed' in skip)) return
  const strangers = skip.followed.filter((id) => !task.downstream.includes(id))
  if (strangers.length === 0) return
  const [which, hint] = [strangers.join(', '), didYouMean(strangers[0] ?? '', task.downstream)]
  const after = hint || ` Right after it come: ${task.downstream.join(', ') || 'none'}.`
  throw new FailTask(`Branch "${taskId}" has chosen "${which}", which does not come right after it.${after}`)
}

async function perform(work: TaskWork, given: GivenInputs, context: TaskContext, seen: { renderedFields: unknown }): Promise<unknown> {
  const { facts, task, host } = work
  if (typeof task.work === 'function') {
    if (facts.isDryRun) return null
    if (facts.resume) return resumed(facts.resume)
    return task.work(context as never)
  }
  const { operator, args } = await renderedOperator(task, given, work.render, facts, host, seen)
  if (facts.isDryRun) return null
  // What it has begun elsewhere must be known to be ended, too.
  if (operator.cancel ?? operator.triggers) host.listens?.()
  if (!facts.resume) return operator.run(args, context)
  return operator.resume ? operator.resume(args, facts.resume, context) : resumed(facts.resume)
}

/** The operator with its args rendered. What is mapped is not: it is the data of another task. */
async function renderedOperator(
  { work, options }: Task,
  { input, element }: GivenInputs,
  render: Render,
  facts: TaskFacts,
  host: TaskHost,
  seen: { renderedFields: unknown } = { renderedFields: null },
): Promise<{ readonly operator: Operator; readonly args: unknown }> {
  const written = work as Operator | MappedOperator
  const own: Pick<Operator, 'templateFields' | 'templateExtensions'> = 'make' in written ? {} : written
  const settings = {
    host,
    input,
    fields: options.template?.fields ?? own.templateFields,
    extensions: options.template?.extensions ?? own.templateExtensions,
  }
  const args = await render(written.args, facts, settings)
  const operator = 'make' in written ? (written.make({ ...(args as object), ...element }) as Operator) : written
  seen.renderedFields = 'make' in written ? operator.args : args
  return { operator, args: seen.renderedFields }
}

/** What a wait has come to, for a task that has nothing to add. */
function resumed(event: { readonly value: unknown } | { readonly error: string }): unknown {
  if ('error' in event) throw new Error(event.error)
  return event.value
}

/** Null when the template cannot be rendered: the task has done its work all the same. */
async function mapLabel({ facts, host, render }: TaskWork, { input }: GivenInputs, output: unknown): Promise<string | null> {
  try {
    const names = { ...input, input, result: output }
    return String(await render(facts.task.mapIndexTemplate, facts, { host, input, place: 'mapIndexTemplate', names })).slice(0, 250)
  } catch (error) {
    host.log(`${messageOf(error)}\n`)
    return null
  }
}

/**
 * Waits by one of the operator's triggers. Somebody who cancels the wait aborts the host's signal: when the trigger has let go, or when there
 * was no time for it, the operator's `cancel` ends what it has begun elsewhere.
 */
export async function runTrigger(work: TaskWork, name: string, args: unknown): Promise<unknown> {
  const { task, facts, host } = work
  const given = givenInputs(task, facts, work.inputs)
  const context = await taskContext(facts, given.input, host, new Outlets([]))
  const { operator, args: rendered } = await renderedOperator(task, given, work.render, facts, host)
  try {
    host.signal.throwIfAborted()
    const trigger = operator.triggers?.[name]
    if (!trigger) throw new Error(`Task "${facts.taskId}" has no trigger "${name}" any more. Put it back, or clear the task.`)
    return toJson(await trigger(args, context))
  } catch (error) {
    if (host.isCancelled && operator.cancel) await operator.cancel(rendered, context, args)
    throw error
  }
}
