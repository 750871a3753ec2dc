/** What makes a DAG one that cannot be scheduled, although its file could be read. Pure. */
import type { DagDocument } from '@daggerboard/dag'
import { wholeMessageOf } from '../core/app-error.ts'
import { assetsNamed, checkAsset } from './asset-condition.ts'
import { shapeProblem } from './document-shape.ts'
import { timetable } from './timetable.ts'

/** A sentence for each thing that is wrong with the schedule and the assets of a DAG, or one when it is no DAG as it should be. Never throws. */
export function documentProblems(document: DagDocument): string[] {
  const shape = shapeProblem(document)
  if (shape !== null) return [shape]
  const { dagId, schedule, timezone } = document
  const problems = problemsOf(() => timetable(schedule, timezone)).map((problem) => `DAG "${dagId}" cannot be scheduled. ${problem}`)
  const inAssets = problemsOf(() => {
    const each = assetsNamed([document]).flatMap((asset) => problemsOf(() => checkAsset(asset)))
    return each.map((problem) => `DAG "${dagId}" names an asset that cannot be used. ${problem}`)
  })
  return [...problems, ...inAssets]
}

function problemsOf(check: () => unknown): string[] {
  try {
    const found = check()
    return Array.isArray(found) ? found : []
  } catch (error) {
    return [wholeMessageOf(error)]
  }
}
