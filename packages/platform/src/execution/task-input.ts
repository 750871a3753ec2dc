/** What a task is given of the tasks before it: their outputs, and its own element when it is mapped. Pure, but for the outputs it is told to find. */
import type { DagDocument, ExpandDocument, GroupDocument, InputSource, ListSource, TaskDocument, ValueSource } from '@daggerboard/dag'
import { AppError } from '../core/app-error.ts'

/** As the platform finds them: what the author's `mapOver` makes of an element is made in the worker. */
export interface TaskInputs {
  /** Outputs of other tasks, by the name of the input. */
  readonly outputs: Readonly<Record<string, unknown>>
  /** The element of a mapped task; null for one that is not mapped itself. */
  readonly element: Readonly<Record<string, unknown>> | null
  /** The elements of the mapped groups that it takes inputs from, by group. */
  readonly groups: Readonly<Record<string, Readonly<Record<string, unknown>>>>
}

/** Finds outputs: of one instance of a task, or of all of them in the order of their indices, those without one left out. */
export interface Outputs {
  one(taskId: string, mapIndex: number): Promise<unknown>
  all(taskId: string): Promise<unknown[]>
}

type Document = Pick<DagDocument, 'groups' | 'tasks'>

/** Whether there is anything to find before the task can begin: constants are in its document. */
export const needsInputs = (task: TaskDocument, mapIndex: number): boolean => {
  if (mapIndex >= 0) return true
  for (const name in task.input) if (!('value' in (task.input[name] as InputSource))) return true
  return false
}

export async function findInputs(document: Document, task: TaskDocument, mapIndex: number, outputs: Outputs): Promise<TaskInputs> {
  const read = (taskId: string) => readOutput(document, task, mapIndex, taskId, outputs)
  const sources = Object.entries(task.input)
  const groupIds = new Set(sources.flatMap(([, source]) => ('group' in source ? [source.group] : [])))
  const found = sources.flatMap(([name, source]) => ('task' in source ? [read(source.task).then((value) => [name, value] as const)] : []))
  const groups = [...groupIds].map(async (id) => {
    const group = document.groups.find(({ groupId }) => groupId === id)
    return [id, (await elementOf(group?.expand ?? null, mapIndex, read)) ?? {}] as const
  })
  return {
    outputs: Object.fromEntries(await Promise.all(found)),
    element: await elementOf(task.expand, mapIndex, read),
    groups: Object.fromEntries(await Promise.all(groups)),
  }
}

/** What `taskId` has left for an instance of `task`: of a mapped one all of them, but only that of the same index within their common group. */
export async function readOutput(
  document: Document,
  task: TaskDocument,
  mapIndex: number,
  taskId: string,
  outputs: Outputs,
): Promise<unknown> {
  const other = document.tasks.find((found) => found.taskId === taskId)
  if (!other) return outputs.one(taskId, -1)
  const group = mappedGroupOf(document, other)
  if (other.taskId === task.taskId) return outputs.one(taskId, mapIndex)
  if (group && group === mappedGroupOf(document, task) && !other.expand) return outputs.one(taskId, mapIndex)
  return other.expand || group ? outputs.all(taskId) : outputs.one(taskId, -1)
}

/** The innermost mapped group that a task is in. */
function mappedGroupOf({ groups }: Pick<DagDocument, 'groups'>, { groupId }: Pick<TaskDocument, 'groupId'>): GroupDocument | null {
  for (let id = groupId; id !== null; ) {
    const group = groups.find((found) => found.groupId === id)
    if (!group) return null
    if (group.expand) return group
    id = group.parent
  }
  return null
}

async function elementOf(
  expand: ExpandDocument | null,
  mapIndex: number,
  read: (taskId: string) => Promise<unknown>,
): Promise<Readonly<Record<string, unknown>> | null> {
  if (!expand || mapIndex < 0) return null
  const found = (source: ValueSource) => ('task' in source ? read(source.task) : source.value)
  const items = async (source: ListSource, about: string): Promise<readonly unknown[]> =>
    'concat' in source
      ? (await Promise.all(source.concat.map(found))).flatMap((part) => itemsOf(part, about))
      : itemsOf(await found(source), about)
  if (expand.kind === 'records') {
    const record = (await items(expand.from, 'The list that the task is mapped over'))[mapIndex]
    if (typeof record !== 'object' || record === null) throw gone(mapIndex)
    return record as Record<string, unknown>
  }
  const lists = await Promise.all(
    Object.entries(expand.inputs).map(async ([name, source]) => [name, await items(source, `"${name}"`)] as const),
  )
  return expand.kind === 'zip' ? zipped(lists, mapIndex, expand.fill) : product(lists, mapIndex)
}

type Lists = readonly (readonly [name: string, items: readonly unknown[]])[]

function product(lists: Lists, mapIndex: number): Record<string, unknown> {
  let rest = mapIndex
  const element: [string, unknown][] = []
  for (const [name, items] of [...lists].reverse()) {
    if (items.length === 0) throw gone(mapIndex)
    element.unshift([name, items[rest % items.length]])
    rest = Math.floor(rest / items.length)
  }
  if (rest > 0) throw gone(mapIndex)
  return Object.fromEntries(element)
}

function zipped(lists: Lists, mapIndex: number, fill: { readonly value: unknown } | null): Record<string, unknown> {
  const lengths = lists.map(([, items]) => items.length)
  if (mapIndex >= (fill ? Math.max(...lengths) : Math.min(...lengths))) throw gone(mapIndex)
  return Object.fromEntries(lists.map(([name, items]) => [name, mapIndex < items.length ? items[mapIndex] : fill?.value]))
}

const gone = (mapIndex: number): AppError =>
  new AppError('invalid', `What the task is mapped over no longer has an element ${mapIndex}. Clear the task that makes the list.`)

/** The items of a list; those of an object are its pairs of name and value, as in Airflow. */
function itemsOf(value: unknown, about: string): readonly unknown[] {
  if (Array.isArray(value)) return value
  if (typeof value === 'object' && value !== null) return Object.entries(value)
  throw new AppError('invalid', `${about} must be a list to be mapped over, and it is ${value === null ? 'null' : `a ${typeof value}`}.`)
}
