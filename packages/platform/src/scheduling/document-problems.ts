/** What makes a DAG one that cannot be scheduled, although its file could be read. Pure. */
import type { DagDocument } from '@daggerboard/dag'
import { AppError, messageOf } from '../core/app-error.ts'
import { assetsNamed, checkAsset } from './asset-condition.ts'
import { timetable } from './timetable.ts'

/** A sentence for each thing that is wrong with the schedule and the assets of a DAG. */
export function documentProblems(document: DagDocument): string[] {
  const { dagId, schedule, timezone } = document
  const problems = problemsOf(() => timetable(schedule, timezone)).map((problem) => `DAG "${dagId}" cannot be scheduled. ${problem}`)
  const ofAssets = assetsNamed([document]).flatMap((asset) =>
    problemsOf(() => checkAsset(asset)).map((problem) => `DAG "${dagId}" names an asset that cannot be used. ${problem}`),
  )
  return [...problems, ...ofAssets]
}

function problemsOf(check: () => unknown): string[] {
  try {
    check()
    return []
  } catch (error) {
    return [error instanceof AppError ? [error.message, ...error.problems].join(' ') : messageOf(error)]
  }
}
