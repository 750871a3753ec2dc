/** Image, revision and traffic, as a refresh sees them. */
import type { DomainEvent } from '../core/events.ts'
import { buildOf } from './owner.ts'
import type { Refresh, StageState } from './refresh.ts'
import { changeStage, stagesOf } from './stage.ts'

type Event<Type extends DomainEvent['type']> = Extract<DomainEvent, { type: Type }>

export function foldImage(owner: Refresh, { facts, by, at }: Event<'image.pushed'>): Refresh {
  const buildId = buildOf(by)
  return changeStage(
    owner,
    'image',
    (stage) => stage.buildId === buildId && stage.repository === facts.repository,
    (before) => ({ ...facts, buildId, state: 'success', startedAt: before.startedAt ?? at, endedAt: at }),
  )
}

const REVISION_STATES: Readonly<Record<string, StageState>> = { deploying: 'running', failed: 'failed' }

export function foldRevision(owner: Refresh, { facts, by, at }: Event<'revision.changed'>): Refresh {
  const { service, revision, state: revisionState, detail } = facts
  const state = REVISION_STATES[revisionState] ?? 'success'
  return changeStage(
    owner,
    'revision',
    (stage) => stage.service === service && stage.revision === revision,
    (before) => ({
      buildId: before.buildId ?? buildOf(by),
      service,
      revision,
      revisionState,
      state,
      detail,
      startedAt: before.startedAt ?? at,
      endedAt: state === 'running' ? null : (before.endedAt ?? at),
    }),
  )
}

/** The refreshes that a change of traffic touches: the one whose revision got it, and those that it was taken from. */
export function foldTraffic(refreshes: readonly Refresh[], owner: Refresh | undefined, event: Event<'traffic.changed'>): Refresh[] {
  const { service, revision, percent, url } = event.facts
  const touched: Refresh[] = []
  if (owner) touched.push(changeTraffic(owner, event))
  if (percent < 100) return touched
  for (const other of refreshes) {
    const loser = stagesOf(other, 'traffic').find((stage) => stage.service === service && stage.revision !== revision && stage.percent)
    if (loser && other !== owner) touched.push(changeStage(other, 'traffic', (stage) => stage === loser, { percent: 0, url }))
  }
  return touched
}

function changeTraffic(owner: Refresh, { facts, by, at }: Event<'traffic.changed'>): Refresh {
  return changeStage(
    owner,
    'traffic',
    (stage) => stage.service === facts.service && (stage.revision === facts.revision || stage.revision === null),
    (before) => ({
      ...facts,
      buildId: before.buildId ?? buildOf(by),
      state: facts.percent > 0 ? 'success' : before.state,
      startedAt: before.startedAt ?? at,
      endedAt: facts.percent > 0 ? (before.endedAt ?? at) : before.endedAt,
    }),
  )
}
