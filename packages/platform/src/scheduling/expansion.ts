/** How often a mapped task is made in a run. Pure. */
import type { ListSource } from '@daggerboard/dag'
import type { BoardRun, BoardTask } from './board-run.ts'
import type { PlannedTask } from './dag-plan.ts'

/** `pending`: what it is made of is not there yet; `unknowable`: it never will be. */
export type MapCount = number | 'pending' | 'unknowable'

/** Of how many elements an answer is made: of a list or of an object by its keys; null for anything else. */
export function lengthOf(value: unknown): number | null {
  if (Array.isArray(value)) return value.length
  return typeof value === 'object' && value !== null ? Object.keys(value).length : null
}

export function mapCount(of: BoardRun, { expand }: PlannedTask): MapCount {
  if (!expand) return 'unknowable'
  if (expand.kind === 'records') return sourceLength(of, expand.from)
  const known = allKnown(Object.values(expand.inputs).map((source) => sourceLength(of, source)))
  if (typeof known === 'string') return known
  if (expand.kind === 'product') return known.reduce((product, length) => product * length, 1)
  return expand.fill ? Math.max(0, ...known) : Math.min(...known)
}

function allKnown(counts: readonly MapCount[]): readonly number[] | Exclude<MapCount, number> {
  if (counts.includes('unknowable')) return 'unknowable'
  const known = counts.filter((count) => typeof count === 'number')
  return known.length < counts.length ? 'pending' : known
}

/** A task that is mapped itself counts as many elements as its instances have left answers: one that has answered nothing has none. */
function sourceLength(of: BoardRun, source: ListSource): MapCount {
  if ('concat' in source) {
    const known = allKnown(source.concat.map((part) => sourceLength(of, part)))
    return typeof known === 'string' ? known : known.reduce((sum, length) => sum + length, 0)
  }
  if (!('task' in source)) return lengthOf(source.value) ?? 'unknowable'
  const task = of.tasks.get(source.task)
  if (!task) return 'unknowable'
  if (!task.isDone) return 'pending'
  const { single } = task
  if (single === undefined) return answersOf(task)
  if (single.state === 'success') return single.mapLength ?? 'unknowable'
  return single.state === 'skipped' && task.planned?.expand ? 0 : 'unknowable'
}

function answersOf({ instances }: BoardTask): number {
  let count = 0
  for (const { state, mapLength } of instances.values()) if (state !== 'removed') count += mapLength ?? 0
  return count
}
