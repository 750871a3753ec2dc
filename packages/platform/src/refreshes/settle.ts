/** What the stages of a refresh amount to: whether it has ended, how, and why it failed. */
import { type BuildStage, hasEnded, type Refresh, type RefreshState, type Stage, type TaskReference } from './refresh.ts'
import { isOver, stagesOf } from './stage.ts'

/** The refresh with its state, reason and end as they follow from its stages. An end that is known already keeps its time. */
export function settle(refresh: Refresh, at: string): Refresh {
  if (!isFinished(refresh)) {
    const stages = hasEnded(refresh) ? refresh.stages.map(expectAgain) : refresh.stages
    const state = refresh.startedAt === null && refresh.dagRunState === 'queued' ? 'queued' : 'running'
    return { ...refresh, stages, state, reason: reasonOf(refresh), endedAt: null }
  }
  const state = outcomeOf(refresh)
  const stages = refresh.stages.map((stage) => closeStage(stage, state, at))
  const ended = { ...refresh, stages, state, endedAt: refresh.endedAt ?? at }
  return {
    ...ended,
    reason: state === 'failed' ? (reasonOf(ended) ?? 'It failed without saying why. The logs of its parts say more.') : null,
  }
}

function isFinished(refresh: Refresh): boolean {
  const builds = existingBuilds(refresh)
  if (builds.some((build) => !isOver(build.state))) return false
  if (stagesOf(refresh, 'revision').some((revision) => revision.state === 'running')) return false
  return refresh.origin.kind === 'dag_run' ? isRunOver(refresh.dagRunState) : builds.length > 0
}

export const isRunOver = (dagRunState: string | null): boolean => dagRunState === 'success' || dagRunState === 'failed'

/** Retries and rebuilds count by their last attempt, so the latest of each name decides. */
function outcomeOf(refresh: Refresh): RefreshState {
  if (refresh.dagRunState === 'failed') return 'failed'
  const builds = latestOf(existingBuilds(refresh), (build) => `${build.repository}@${build.branch}`)
  const revisions = latestOf(stagesOf(refresh, 'revision'), (revision) => revision.service ?? '')
  if ([...builds, ...revisions].some((stage) => stage.state === 'failed')) return 'failed'
  return builds.some((build) => build.state === 'cancelled') ? 'cancelled' : 'success'
}

const existingBuilds = (refresh: Refresh): BuildStage[] => stagesOf(refresh, 'build').filter((build) => build.buildId !== null)

function latestOf<T extends Stage>(stages: readonly T[], nameOf: (stage: T) => string): T[] {
  return [...new Map(stages.map((stage) => [nameOf(stage), stage])).values()]
}

/** Of everything that went wrong, what went wrong first: the rest follows from it. */
function reasonOf(refresh: Refresh): string | null {
  const failures = [...refresh.stages, ...refresh.tasks].filter(({ state, detail }) => state === 'failed' && detail !== null)
  const first = failures.sort((a, b) => (a.endedAt ?? '').localeCompare(b.endedAt ?? ''))[0]
  return first?.detail ?? null
}

function closeStage(stage: Stage, outcome: RefreshState, at: string): Stage {
  if (stage.state === 'waiting') return { ...stage, state: 'skipped' }
  if (stage.state !== 'running') return stage
  return { ...stage, state: outcome === 'success' ? 'success' : 'cancelled', endedAt: at }
}

const expectAgain = (stage: Stage): Stage => (stage.state === 'skipped' ? { ...stage, state: 'waiting' } : stage)

export const isSameTask = (a: TaskReference | null, b: TaskReference | null): boolean => a !== null && a.taskId === b?.taskId
