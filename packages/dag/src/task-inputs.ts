/** What a task is given while it runs. */
import { elementAt, elementSource } from './expand.ts'
import { isStep } from './step.ts'
import type { Task } from './task.ts'

/** Answers what a task of this run has answered: of a mapped one a list of all, or the one of `mapIndex`. */
type Pull = (taskId: string, mapIndex?: number) => Promise<unknown>

/**
 * The `input` of `task`: outputs of tasks, constants, elements of its mapped group, and its own element when it is mapped.
 * Between tasks of the same mapped group outputs go by index.
 */
export async function taskInputs(task: Task, mapIndex: number, pull: Pull): Promise<Readonly<Record<string, unknown>>> {
  const around = mappedGroupOf(task)
  const output = (source: Task): Promise<unknown> => {
    const isBeside = around !== null && mappedGroupOf(source) === around && mapIndex >= 0
    return isBeside ? pull(source.id, mapIndex) : pull(source.id)
  }
  let element: Promise<Readonly<Record<string, unknown>>> | null = null
  const groupElement = () => {
    element ??= elementAt(around?.options.expand ?? {}, mapIndex, output)
    return element
  }
  const given = Object.entries(task.options.input ?? {}).map(async ([name, value]) => {
    const part = elementSource(value)
    if (part) return [name, part.name === null ? await groupElement() : (await groupElement())[part.name]]
    return [name, isStep(value) ? await output(value as Task) : value]
  })
  const own = task.options.expand && mapIndex >= 0 ? await elementAt(task.options.expand, mapIndex, output) : {}
  return { ...Object.fromEntries(await Promise.all(given)), ...own }
}

/** The mapped group that `task` is in; null when it is in none. */
export function mappedGroupOf(task: Task): Task['group'] {
  let group = task.group
  while (group && !group.options.expand) group = group.group
  return group
}
