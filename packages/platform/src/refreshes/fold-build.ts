/** Builds as refreshes see them: part of one, or the start of one. */
import type { DomainEvent } from '../core/events.ts'
import { buildOf, ownerOf, ownerOfBuild, taskOf } from './owner.ts'
import type { BuildStage, Refresh, Stage, StageState } from './refresh.ts'
import { isSameTask } from './settle.ts'
import { changeStage, LINE, type PlannedStage, placeOf, planned } from './stage.ts'

type BuildEvent = Extract<DomainEvent, { type: 'build.changed' }>

const BUILD_STATES: Readonly<Record<string, StageState>> = {
  PENDING: 'waiting',
  QUEUED: 'waiting',
  WORKING: 'running',
  SUCCESS: 'success',
  CANCELLED: 'cancelled',
}

/** The refresh that the build belongs to, changed; a new one when a person or a push started the build. */
export function foldBuild(refreshes: readonly Refresh[], event: BuildEvent): Refresh {
  const { facts, by, at } = event
  const owner = ownerOfBuild(refreshes, facts.buildId) ?? ownerOf(refreshes, by) ?? newBuild(refreshes, event)
  const parentBuildId = buildOf(by)
  const task = taskOf(by)
  const state = BUILD_STATES[facts.status] ?? 'failed'
  const change = (before: BuildStage): Partial<BuildStage> => ({
    buildId: facts.buildId,
    parentBuildId,
    repository: facts.repository ?? before.repository,
    branch: facts.branch ?? before.branch,
    commitSha: facts.commitSha,
    trigger: facts.trigger,
    task: task ?? before.task,
    state,
    detail: state === 'failed' ? (facts.detail ?? `The build ended as ${facts.status}. Its log says why.`) : facts.detail,
    startedAt: facts.startedAt ?? facts.createdAt,
    endedAt: facts.finishedAt,
    steps: facts.steps.map(({ id, status, startedAt, finishedAt }) => ({ id, status, startedAt, endedAt: finishedAt })),
  })
  const isMeant = (stage: BuildStage) => stage.buildId === facts.buildId || (stage.buildId === null && isSameTask(stage.task, task))
  const changed = changeStage(owner, 'build', isMeant, change, { nested: parentBuildId !== null })
  const stages =
    facts.finishedAt === null ? changed.stages : changed.stages.map((s) => endWithBuild(s, facts.buildId, state, at, facts.detail))
  return { ...changed, stages, startedAt: changed.startedAt ?? facts.startedAt }
}

/** When a build is over nothing that it was doing goes on; a version that it left without a stage did not pass the gate. */
function endWithBuild(stage: Stage, buildId: string, state: StageState, at: string, detail: string | null): Stage {
  if ((stage.kind !== 'training' && stage.kind !== 'model') || stage.buildId !== buildId || stage.state !== 'running') return stage
  const isHeldBack = stage.kind === 'model' && state === 'failed'
  return { ...stage, state, endedAt: at, detail: isHeldBack ? `Registered, but given no stage. ${detail ?? ''}`.trim() : stage.detail }
}

function newBuild(refreshes: readonly Refresh[], { facts }: BuildEvent): Refresh {
  const { repository, branch } = facts
  return {
    id: facts.buildId,
    origin: { kind: 'build', dagId: null, runId: null, repository, branch },
    environment: branch === 'staging' ? 'staging' : branch === 'master' ? 'production' : null,
    dataInterval: null,
    state: 'queued',
    reason: null,
    createdAt: facts.createdAt,
    startedAt: facts.startedAt,
    endedAt: null,
    stages: expectedOf(refreshes, repository).map(planned),
    dagRunState: null,
    tasks: [],
  }
}

/** What a build of this repository went through the last time it succeeded is what the next one is expected to go through. */
function expectedOf(refreshes: readonly Refresh[], repository: string | null): PlannedStage[] {
  const isLike = (stage: Stage) => stage.kind === 'build' && stage.repository === repository && stage.state === 'success'
  for (const { stages } of repository === null ? [] : refreshes) {
    const build = stages.find(isLike)
    if (!build) continue
    const reached = new Set(stages.filter((stage) => stage.state === 'success').map(placeOf))
    const after = LINE.slice(LINE.indexOf(placeOf(build)) + 1).filter((place) => reached.has(place))
    return ['build', ...after]
  }
  return ['build']
}
