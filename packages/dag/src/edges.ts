/** From edges as they were drawn, between tasks, groups and ids, to those between tasks. */
import { didYouMean } from './definition-error.ts'
import { Group } from './group.ts'
import type { Step } from './step.ts'
import { Task } from './task.ts'

/** All that a DAG's builder has made. */
export interface Steps {
  /** By id; of two with the same id the first. */
  readonly named: ReadonlyMap<string, Task | Group>
  /** In the order of the file, those whose id was taken included. */
  readonly all: readonly (Task | Group)[]
}

/** Fills in `upstream` and `downstream` of every task. Answers the sentences about edges that cannot be. */
export function joinTasks(dagId: string, steps: Steps): string[] {
  const problems: string[] = []
  const own = new Set<Step>(steps.all)
  const ofGroups: { readonly before: Task | Group; readonly after: Task | Group; readonly depth: number }[] = []
  for (const step of steps.all) {
    for (const { to, step: given } of step.drawn) {
      const other = typeof given === 'string' ? steps.named.get(given) : given
      if (!other) {
        const verb = to === 'after' ? 'depends on' : 'comes before'
        const hint = didYouMean(given as string, steps.named.keys())
        problems.push(`${titled(step)} of DAG "${dagId}" ${verb} "${given}", which is not defined${step.place}.${hint}`)
      } else if (!own.has(other)) {
        const mend = 'Join tasks of the same DAG only.'
        problems.push(
          `${titled(step)}${step.place} is joined to ${noun(other)} "${other.id}"${other.place}, which is not of this DAG. ${mend}`,
        )
      } else {
        const [before, after] = (to === 'after' ? [other, step] : [step, other]) as [Task | Group, Task | Group]
        if (before instanceof Task && after instanceof Task) join(before, after)
        else ofGroups.push({ before, after, depth: sharedDepth(before, after) })
      }
    }
  }
  // Inner edges first: they decide where the groups around them begin and end.
  const ends = { first: new Map<Group, readonly Task[]>(), last: new Map<Group, readonly Task[]>() }
  for (const { before, after } of ofGroups.sort((a, b) => b.depth - a.depth)) {
    if (before === after || isAround(before, after) || isAround(after, before)) {
      problems.push(
        `${titled(before)}${before.place} is joined to ${noun(after)} "${after.id}", but one of them is within the other. Remove this edge.`,
      )
      continue
    }
    const sources = before instanceof Task ? [before] : remembered(ends.last, before, leaves)
    const targets = after instanceof Task ? [after] : remembered(ends.first, after, roots)
    for (const empty of [sources.length === 0 && before, targets.length === 0 && after]) {
      if (empty)
        problems.push(`${titled(empty)}${empty.place} has no task, so nothing can come before or after it. Add one, or remove the edge.`)
    }
    for (const source of sources) for (const target of targets) join(source, target)
  }
  const circle = findCircle(steps.named)
  if (circle) {
    const places = circle.slice(0, -1).map((id) => `${id}${steps.named.get(id)?.place ?? ''}`)
    problems.push(`The tasks go in a circle: ${circle.join(' → ')}. They are ${places.join(', ')}. Remove one of these dependencies.`)
  }
  return problems
}

const noun = (step: Step): string => (step instanceof Group ? 'group' : 'task')

const titled = (step: Step): string => `${step instanceof Group ? 'Group' : 'Task'} "${step.id}"`

function join(before: Task, after: Task): void {
  before.downstream.add(after.id)
  after.upstream.add(before.id)
}

/** The groups that `step` is in, the outermost first. */
function groupsAround(step: Step): Group[] {
  const around: Group[] = []
  for (let group = step.group; group; group = group.group) around.unshift(group)
  return around
}

/** How many groups have both in them. */
function sharedDepth(a: Step, b: Step): number {
  const [ofA, ofB] = [groupsAround(a), groupsAround(b)]
  let depth = 0
  while (depth < ofA.length && ofA[depth] === ofB[depth]) depth += 1
  return depth
}

const isAround = (outer: Step, inner: Step): boolean => outer instanceof Group && groupsAround(inner).includes(outer)

function remembered<Key, Value>(known: Map<Key, Value>, key: Key, make: (key: Key) => Value): Value {
  const value = known.get(key) ?? make(key)
  known.set(key, value)
  return value
}

/** Every task in `group`, also in groups within it. */
function tasksIn(group: Group): Map<string, Task> {
  const found = new Map<string, Task>()
  const pending: (Task | Group)[] = [...group.members].reverse()
  for (let next = pending.pop(); next; next = pending.pop()) {
    if (next instanceof Task) found.set(next.id, next)
    else pending.push(...[...next.members].reverse())
  }
  return found
}

/** Those tasks of `group` that have none of it before them. */
export function roots(group: Group): Task[] {
  const tasks = tasksIn(group)
  return [...tasks.values()].filter((task) => ![...task.upstream].some((id) => tasks.has(id)))
}

/** Those tasks of `group` that have none of it after them; in place of a teardown, what it comes after, other than setups if there is other work. */
function leaves(group: Group): Task[] {
  const tasks = tasksIn(group)
  const found = new Set<Task>()
  const seen = new Set<Task>()
  const pending = [...tasks.values()].filter((task) => ![...task.downstream].some((id) => tasks.has(id))).reverse()
  for (let task = pending.pop(); task; task = pending.pop()) {
    if (seen.has(task)) continue
    seen.add(task)
    if (task.role !== 'teardown') found.add(task)
    else for (const id of task.upstream) if (tasks.get(id) && tasks.get(id)?.role !== 'setup') pending.push(tasks.get(id) as Task)
  }
  return found.size > 0 ? [...found] : [...tasks.values()].filter(({ role }) => role === 'setup')
}

/** The first circle, its first task named again at the end; null when there is none. Each task is looked at once; chains may be long. */
function findCircle(named: Steps['named']): string[] | null {
  const state = new Map<string, 'open' | 'done'>()
  for (const start of named.keys()) {
    const path: { readonly id: string; readonly rest: Iterator<string> }[] = []
    const enter = (id: string): void => {
      state.set(id, 'open')
      const step = named.get(id)
      path.push({ id, rest: (step instanceof Task ? step.upstream : new Set<string>()).values() })
    }
    if (!state.has(start)) enter(start)
    for (let top = path.at(-1); top; top = path.at(-1)) {
      const { value: next, done } = top.rest.next()
      if (done) {
        state.set(top.id, 'done')
        path.pop()
      } else if (state.get(next) === 'open') {
        const from = path.findIndex(({ id }) => id === next)
        return [
          next,
          ...path
            .slice(from + 1)
            .map(({ id }) => id)
            .reverse(),
          next,
        ]
      } else if (!state.has(next)) enter(next)
    }
  }
  return null
}
