/** The stages that a model version can be in. Any stage may follow any other: the gate that decides is the caller's. */
import { AppError, didYouMean } from '../core/app-error.ts'

const STAGES = ['None', 'Staging', 'Production', 'Archived'] as const
export type Stage = (typeof STAGES)[number]

/** The stages in which a version is in use. */
export const isInUse = (stage: Stage): boolean => stage === 'Staging' || stage === 'Production'

/** The stage that `text` names, in whatever case. Throws `invalid`. */
export function parseStage(text: string): Stage {
  const stage = STAGES.find((known) => known.toLowerCase() === text.toLowerCase())
  if (!stage)
    throw new AppError(
      'invalid',
      `Invalid Model Version stage: ${text}. Value must be one of ${STAGES.join(', ')}.${didYouMean(text, STAGES)}`,
    )
  return stage
}
