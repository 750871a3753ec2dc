/** What a task's function or operator is given by name: constants, outputs, and elements as the author's `mapOver` makes them. */
import { listSource, partsOf, type Task } from '@daggerboard/dag'
import type { TaskFacts } from './task-facts.ts'
import type { TaskInputs } from './task-input.ts'

type Values = Readonly<Record<string, unknown>>

export interface GivenInputs {
  readonly input: Values
  /** The element of a mapped task; null for one that is not mapped itself. */
  readonly element: Values | null
}

/** Throws what the functions of `mapOver` throw. */
export function givenInputs(task: Task, facts: TaskFacts, inputs: TaskInputs | null): GivenInputs {
  const element = inputs?.element && made(task.options.expand, inputs.element)
  const groups: Record<string, Values> = {}
  const ofGroup = (id: string): Values => {
    groups[id] ??= made(expansionOf(task, id), inputs?.groups[id] ?? {})
    return groups[id]
  }
  const input: Record<string, unknown> = {}
  for (const [name, source] of Object.entries(facts.task.input)) {
    if ('value' in source) input[name] = source.value
    else if ('task' in source) input[name] = inputs?.outputs[name] ?? null
    else input[name] = source.element === null ? ofGroup(source.group) : ofGroup(source.group)[source.element]
  }
  return { input: element ? { ...input, ...element } : input, element: element ?? null }
}

function expansionOf(task: Task, groupId: string): Task['options']['expand'] {
  for (let group = task.group; group; group = group.group) if (group.id === groupId) return group.options.expand
  return undefined
}

function made(expansion: Task['options']['expand'], element: Values): Values {
  if (!expansion) return element
  const { kind, inputs } = partsOf(expansion)
  const apply = (given: unknown, value: unknown) => listSource(given).apply.reduce((made, step) => step(made), value)
  if (kind === 'records') return apply(inputs.records, element) as Values
  return Object.fromEntries(Object.entries(element).map(([name, value]) => [name, apply(inputs[name], value)]))
}
