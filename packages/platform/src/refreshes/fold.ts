/** How refreshes grow: a pure function from what was known and one event to what is known now. */
import type { DomainEvent } from '../core/events.ts'
import { foldBuild } from './fold-build.ts'
import { foldDagRun, foldTaskInstance } from './fold-dag-run.ts'
import { foldImage, foldRevision, foldTraffic } from './fold-delivery.ts'
import { foldMetric, foldModelVersion, foldParam, foldTrainingRun } from './fold-model.ts'
import { foldCluster, foldJob } from './fold-transform.ts'
import { ownerOf, ownerOfRun } from './owner.ts'
import type { Refresh } from './refresh.ts'
import { settle } from './settle.ts'
import { stagesOf } from './stage.ts'

/**
 * `refreshes` (the newest first) as they are after `event`. What did not change is the same object, so callers can tell by `!==`.
 * An event that belongs to no refresh changes nothing.
 */
export function fold(refreshes: readonly Refresh[], event: DomainEvent): readonly Refresh[] {
  switch (event.type) {
    case 'dag_run.changed':
      return put(refreshes, foldDagRun(ownerOfRun(refreshes, event.facts.dagId, event.facts.runId), event), event.at)
    case 'task_instance.changed':
      return put(refreshes, foldTaskInstance(ownerOfRun(refreshes, event.facts.dagId, event.facts.runId), event), event.at)
    case 'build.changed':
      return put(refreshes, foldBuild(refreshes, event), event.at)
    case 'cluster.changed': {
      const { clusterName } = event.facts
      const owner = ownerOf(refreshes, event.by) ?? refreshes.find((r) => stagesOf(r, 'cluster').some((c) => c.name === clusterName))
      return keepEnd(refreshes, owner && foldCluster(owner, event), event.at)
    }
    case 'job.changed':
      return whenOwned(refreshes, event, (owner) => foldJob(owner, event))
    case 'experiment_run.changed':
      return whenOwned(refreshes, event, (owner) => foldTrainingRun(owner, event))
    case 'param.logged':
      return whenOwned(refreshes, event, (owner) => foldParam(owner, event))
    case 'metric.logged':
      return whenOwned(refreshes, event, (owner) => foldMetric(owner, event))
    case 'model_version.changed': {
      const { name, version } = event.facts
      const known = refreshes.find((r) => stagesOf(r, 'model').some((model) => model.name === name && model.version === version))
      const owner = known ?? ownerOf(refreshes, event.by)
      return keepEnd(refreshes, owner && foldModelVersion(owner, event), event.at)
    }
    case 'image.pushed':
      return whenOwned(refreshes, event, (owner) => foldImage(owner, event))
    case 'revision.changed': {
      const owner = ownerOfRevision(refreshes, event.facts) ?? ownerOf(refreshes, event.by)
      return keepEnd(refreshes, owner && foldRevision(owner, event), event.at)
    }
    case 'traffic.changed': {
      const owner = ownerOfRevision(refreshes, event.facts) ?? ownerOf(refreshes, event.by)
      return foldTraffic(refreshes, owner, event).reduce((all, changed) => keepEnd(all, changed, event.at), refreshes)
    }
    default:
      return refreshes
  }
}

function whenOwned(refreshes: readonly Refresh[], event: DomainEvent, change: (owner: Refresh) => Refresh): readonly Refresh[] {
  const owner = ownerOf(refreshes, event.by)
  return put(refreshes, owner && change(owner), event.at)
}

/** The refreshes with `changed` in its place, or in front when it is new. */
function put(refreshes: readonly Refresh[], changed: Refresh | undefined, at: string): readonly Refresh[] {
  if (!changed || refreshes.includes(changed)) return refreshes
  const settled = settle(changed, at)
  const index = refreshes.findIndex(({ id }) => id === changed.id)
  return index < 0 ? [settled, ...refreshes] : refreshes.with(index, settled)
}

/** What becomes of a cluster, a version or a revision later is told, but does not rewrite how a refresh that is over went. */
function keepEnd(refreshes: readonly Refresh[], changed: Refresh | undefined, at: string): readonly Refresh[] {
  const index = refreshes.findIndex(({ id }) => id === changed?.id)
  const before = refreshes[index]
  if (!changed || !before || before.endedAt === null || before.stages.length !== changed.stages.length) return put(refreshes, changed, at)
  const stages = changed.stages.map((stage, i) => {
    const { state, startedAt, endedAt, detail } = before.stages[i] ?? stage
    return { ...stage, state, startedAt, endedAt, detail }
  })
  return refreshes.with(index, { ...changed, stages })
}

const ownerOfRevision = (refreshes: readonly Refresh[], { service, revision }: { service: string; revision: string }) =>
  refreshes.find((r) => stagesOf(r, 'revision').some((stage) => stage.service === service && stage.revision === revision))
