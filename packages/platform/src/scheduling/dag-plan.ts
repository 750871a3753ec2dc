/** A document as the engine walks it: tasks that know each other, in topological order, with what follows from their edges. Pure. */
import type { DagDocument, ExpandDocument, ListSource, TaskDocument, ValueSource } from '@daggerboard/dag'
import { priorityWeights } from './priority.ts'
import { TaskGraph } from './task-graph.ts'

export interface PlannedTask {
  readonly taskId: string
  readonly document: TaskDocument
  /** Its place after all tasks that come before it. */
  readonly position: number
  readonly upstream: readonly PlannedTask[]
  readonly downstream: readonly PlannedTask[]
  /** The priority of its instances: its own weight and those that its weight rule adds. */
  readonly priorityWeight: number
  /** The mapped group that it is in. */
  readonly mappedGroup: string | null
  /** What it is made once for each of, by itself or with its mapped group. */
  readonly expand: ExpandDocument | null
  /** The tasks whose answers say how often it is made. */
  readonly sources: readonly PlannedTask[]
  /** Something is made once for each element of its answer. */
  readonly isSource: boolean
  /** Setups before it, but not right before it, in whose scope it is: they must have succeeded. */
  readonly outerSetups: readonly PlannedTask[]
  /** Of a teardown: the tasks between its setups and it, but not right before it. They must be through, however they end. */
  readonly scope: readonly PlannedTask[]
  /** Tasks before it, but not right before it, that may skip everything after them. */
  readonly outerCircuits: readonly PlannedTask[]
  /** Others than those right after it that look at how it ends. */
  readonly watchers: readonly PlannedTask[]
  /** How it ends says nothing about how its run ends. */
  readonly isIgnorable: boolean
}

export interface DagPlan {
  readonly document: DagDocument
  readonly tasks: ReadonlyMap<string, PlannedTask>
  readonly order: readonly PlannedTask[]
  /** The tasks that decide how a run ends: nothing that counts comes after them. */
  readonly leaves: readonly PlannedTask[]
  /** Some of its tasks look at the run before. */
  readonly looksBack: boolean
}

const plans = new WeakMap<DagDocument, DagPlan>()

/** Worked out once for each document. */
export function planOf(document: DagDocument): DagPlan {
  const known = plans.get(document)
  if (known) return known
  const made = makePlan(document)
  plans.set(document, made)
  return made
}

type Draft = { -readonly [Key in keyof PlannedTask]: PlannedTask[Key] extends readonly PlannedTask[] ? Draft[] : PlannedTask[Key] }

function makePlan(document: DagDocument): DagPlan {
  const graph = new TaskGraph(document)
  const groups = new Map(document.groups.map((group) => [group.groupId, group]))
  const weights = priorityWeights(document.tasks)
  const drafts = new Map<string, Draft>()
  for (const task of inOrder(document.tasks)) {
    const mappedGroup = task.groupId === null ? null : graph.mappedGroup(task.taskId)
    const expand = task.expand ?? (mappedGroup === null ? null : (groups.get(mappedGroup)?.expand ?? null))
    drafts.set(task.taskId, {
      taskId: task.taskId,
      document: task,
      position: drafts.size,
      upstream: [],
      downstream: [],
      priorityWeight: weights.get(task.taskId) ?? task.priorityWeight,
      mappedGroup,
      expand,
      sources: [],
      isSource: false,
      outerSetups: [],
      scope: [],
      outerCircuits: [],
      watchers: [],
      isIgnorable: task.role === 'teardown' && !task.failsRun,
    })
  }
  const found = (ids: readonly string[]) => ids.flatMap((id) => drafts.get(id) ?? [])
  const order = [...drafts.values()]
  for (const draft of order) {
    draft.upstream = found(draft.document.upstream)
    draft.downstream = found(draft.document.downstream)
    draft.sources = found(sourcesOf(draft.expand))
    for (const source of draft.sources) {
      source.isSource = true
      if (!draft.upstream.includes(source)) source.watchers.push(draft)
    }
  }
  const setups = order.filter(({ document: { role } }) => role === 'setup')
  const circuits = order.filter(({ document: { flow } }) => flow === 'shortCircuit')
  for (const setup of setups) {
    const ownTeardowns = setup.downstream.filter(({ document: { role } }) => role === 'teardown')
    const inScope = ownTeardowns.length === 0 ? null : new Set(ownTeardowns.flatMap(({ taskId }) => [...graph.before(taskId)]))
    for (const draft of found([...graph.after(setup.taskId)])) {
      if (draft.document.role === 'teardown' || draft.upstream.includes(setup) || (inScope && !inScope.has(draft.taskId))) continue
      draft.outerSetups.push(setup)
      setup.watchers.push(draft)
    }
  }
  for (const draft of order.filter(({ document: { role } }) => role === 'teardown')) {
    const own = draft.upstream.filter(({ document: { role } }) => role === 'setup')
    const afterSetups = new Set(own.flatMap(({ taskId }) => [...graph.after(taskId)]))
    for (const between of found([...graph.before(draft.taskId)])) {
      if (!afterSetups.has(between.taskId) || draft.upstream.includes(between)) continue
      draft.scope.push(between)
      between.watchers.push(draft)
    }
  }
  for (const circuit of circuits) {
    for (const draft of found([...graph.after(circuit.taskId)])) {
      if (draft.upstream.includes(circuit)) continue
      draft.outerCircuits.push(circuit)
      circuit.watchers.push(draft)
    }
  }
  const effective = order.filter(({ isIgnorable, downstream }) => !isIgnorable && downstream.every((next) => next.isIgnorable))
  const leaves = effective.length > 0 ? effective : order
  const looksBack = order.some(({ document: task }) => task.dependsOnPast || task.waitForDownstream)
  return { document, tasks: drafts, order, leaves, looksBack }
}

const isTask = (source: ValueSource): source is { readonly task: string } => 'task' in source

const partsOf = (source: ListSource): readonly ValueSource[] => ('concat' in source ? source.concat : [source])

function sourcesOf(expand: ExpandDocument | null): string[] {
  if (!expand) return []
  const sources = expand.kind === 'records' ? [expand.from] : Object.values(expand.inputs)
  return [
    ...new Set(
      sources
        .flatMap(partsOf)
        .filter(isTask)
        .map(({ task }) => task),
    ),
  ]
}

/** Every task after all that come before it; otherwise as the file has them. */
function inOrder(tasks: readonly TaskDocument[]): readonly TaskDocument[] {
  const byId = new Map(tasks.map((task) => [task.taskId, task]))
  const missing = new Map(tasks.map((task) => [task.taskId, task.upstream.filter((id) => byId.has(id)).length]))
  const order = tasks.filter((task) => missing.get(task.taskId) === 0)
  for (const task of order) {
    for (const id of task.downstream) {
      const left = (missing.get(id) ?? 0) - 1
      missing.set(id, left)
      const next = byId.get(id)
      if (left === 0 && next) order.push(next)
    }
  }
  return order
}
