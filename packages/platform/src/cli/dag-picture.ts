/** A DAG as text: a tree for the terminal, DOT for Graphviz. */
import type { TaskView } from './airflow.ts'

/** Each task below each one that it waits for; what stands above already is not written out again. */
export function treeOf(tasks: readonly TaskView[]): string[] {
  const byId = new Map(tasks.map((task) => [task.task_id, task]))
  const seen = new Set<string>()
  const lines: string[] = []
  const draw = (id: string, indent: string) => {
    const task = byId.get(id)
    if (!task) return
    const isRepeated = seen.has(id) && task.downstream_task_ids.length > 0
    lines.push(`${indent}${id}  <${task.operator_name}>${isRepeated ? '  (see above)' : ''}`)
    if (isRepeated) return
    seen.add(id)
    for (const next of task.downstream_task_ids) draw(next, `${indent}    `)
  }
  for (const task of tasks) if (task.upstream_task_ids.length === 0) draw(task.task_id, '')
  return lines
}

export function dotOf(dagId: string, tasks: readonly TaskView[]): string[] {
  const quoted = (text: string) => `"${text.replace(/[\\"]/g, '\\$&')}"`
  const nodes = tasks.map((task) => `  ${quoted(task.task_id)} [label=${quoted(task.task_id)}, tooltip=${quoted(task.operator_name)}]`)
  const edges = tasks.flatMap((task) => task.downstream_task_ids.map((next) => `  ${quoted(task.task_id)} -> ${quoted(next)}`))
  return [`digraph ${quoted(dagId)} {`, '  rankdir=LR', ...nodes, ...edges, '}']
}
