/** The gate: what a model must show before it may have a stage. */
import { PipelineError } from '@daggerboard/pipeline'
import type { Metrics } from './evaluation.ts'

export interface GateParameters {
  readonly min_auc: number
  readonly tolerance: number
  readonly min_price_invariance: number
}

/** The model that now has the stage, on the same test rows as the candidate. */
export interface Champion {
  readonly version: string
  readonly auc: number
}

/** Every reason why the model may not pass, as sentences; none when it may. */
export function reasonsAgainst(metrics: Metrics, champion: Champion | undefined, gate: GateParameters): string[] {
  const reasons: string[] = []
  const auc = metrics.auc.toFixed(4)
  if (!(metrics.auc >= gate.min_auc)) {
    reasons.push(
      `its auc ${auc} is below the gate of ${gate.min_auc} (gate.min_auc). Look at the data of this interval before you lower the gate.`,
    )
  }
  if (champion && !(metrics.auc >= champion.auc - gate.tolerance)) {
    reasons.push(
      `its auc ${auc} is worse than the ${champion.auc.toFixed(4)} of version ${champion.version}, which has the stage now, by more than ${gate.tolerance} (gate.tolerance) on the same test rows. Search longer (automl_max_evals), or keep that version.`,
    )
  }
  if (!(metrics.price_invariance >= gate.min_price_invariance)) {
    reasons.push(
      `a price that differs by 1 changes the prediction of too many rows: price_invariance ${metrics.price_invariance.toFixed(4)} is below ${gate.min_price_invariance} (gate.min_price_invariance). Use fewer leaves or more rows per leaf.`,
    )
  }
  return reasons
}

/** Throws when there is any reason against; nothing has then changed stage. */
export function passGate(name: string, version: string, stage: string | undefined, reasons: readonly string[]): void {
  const where = stage === undefined ? 'does not pass' : `cannot go to ${stage}`
  PipelineError.throwIfAny(`Model "${name}" version ${version} ${where}`, reasons)
}
