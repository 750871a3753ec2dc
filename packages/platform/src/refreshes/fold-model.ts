/** Training and the model version that comes of it, as a refresh sees them. */
import type { DomainEvent } from '../core/events.ts'
import { buildOf } from './owner.ts'
import type { Refresh, StageState, TrainingStage } from './refresh.ts'
import { changeStage, stagesOf } from './stage.ts'

type Event<Type extends DomainEvent['type']> = Extract<DomainEvent, { type: Type }>

/** More trials than this are counted but their points are forgotten, oldest first. */
const SERIES_LIMIT = 500

/** The names under which a training logs how many trials it will make, and what each has scored. */
const MAX_EVALS = new Set(['max_evals', 'automl_max_evals'])
const TRIAL_SCORE = 'trial_auc'

const RUN_STATES: Readonly<Record<string, StageState>> = { FINISHED: 'success', FAILED: 'failed', KILLED: 'cancelled' }

/** A build has one training on the line: its first run that has not failed. Other runs that it logs are not the line's business. */
export function foldTrainingRun(owner: Refresh, { facts, by, at }: Event<'experiment_run.changed'>): Refresh {
  const buildId = buildOf(by)
  const current = trainingOf(owner, buildId)
  if (current && current.runId !== facts.runId && current.state !== 'failed') return owner
  const state = RUN_STATES[facts.status] ?? 'running'
  return changeStage(
    owner,
    'training',
    (stage) => stage === current,
    (before) => ({
      buildId,
      runId: facts.runId,
      experiment: facts.experiment,
      state,
      detail: state === 'failed' ? 'The training run ended as FAILED. The log of the build says why.' : null,
      startedAt: before.runId === facts.runId ? before.startedAt : at,
      endedAt: state === 'running' ? null : at,
    }),
  )
}

export const foldParam = (owner: Refresh, { facts, by }: Event<'param.logged'>): Refresh => {
  const maxEvals = MAX_EVALS.has(facts.key) ? Number(facts.value) : Number.NaN
  return Number.isFinite(maxEvals) ? changeTraining(owner, buildOf(by), facts.runId, () => ({ maxEvals })) : owner
}

export function foldMetric(owner: Refresh, { facts: { key, value, step, runId }, by }: Event<'metric.logged'>): Refresh {
  return changeTraining(owner, buildOf(by), runId, (before) =>
    key === TRIAL_SCORE
      ? {
          series: [...before.series.filter((trial) => trial.step !== step), { step, value }].slice(-SERIES_LIMIT),
          trials: before.trials + (before.series.some((trial) => trial.step === step) ? 0 : 1),
          best: Math.max(before.best ?? Number.NEGATIVE_INFINITY, value),
        }
      : { metrics: { ...before.metrics, [key]: value } },
  )
}

const trainingOf = (refresh: Refresh, buildId: string | null) =>
  stagesOf(refresh, 'training').find((stage) => stage.runId !== null && stage.buildId === buildId)

function changeTraining(owner: Refresh, buildId: string | null, runId: string, change: (before: TrainingStage) => Partial<TrainingStage>) {
  const current = trainingOf(owner, buildId)
  return current?.runId === runId ? changeStage(owner, 'training', (stage) => stage === current, change) : owner
}

export function foldModelVersion(owner: Refresh, { facts, by, at }: Event<'model_version.changed'>): Refresh {
  const { name, version, stage, metrics } = facts
  const isStaged = stage !== 'None'
  return changeStage(
    owner,
    'model',
    (model) => model.name === name && model.version === version,
    (before) => ({
      buildId: before.buildId ?? buildOf(by),
      name,
      version,
      stage,
      metrics,
      state: isStaged ? 'success' : 'running',
      detail: isStaged ? null : 'Registered; not through the gate yet.',
      startedAt: before.startedAt ?? at,
      endedAt: isStaged ? (before.endedAt ?? at) : null,
    }),
  )
}
