/** The cluster and the job that runs on it, as a refresh sees them. */
import type { DomainEvent } from '../core/events.ts'
import { taskOf } from './owner.ts'
import type { Refresh, StageState } from './refresh.ts'
import { isSameTask } from './settle.ts'
import { changeStage, isOver } from './stage.ts'

type Event<Type extends DomainEvent['type']> = Extract<DomainEvent, { type: Type }>

export function foldCluster(owner: Refresh, { facts, by, at }: Event<'cluster.changed'>): Refresh {
  const { clusterName: name, state: clusterState, detail } = facts
  return changeStage(
    owner,
    'cluster',
    (stage) => stage.name === name || stage.name === null,
    (before) => {
      const known = { name, clusterState, task: before.task ?? taskOf(by), startedAt: before.startedAt ?? at }
      if (clusterState.startsWith('ERROR')) return { ...known, state: 'failed', detail, endedAt: at }
      if (clusterState === 'CREATING') return { ...known, state: 'running', detail, endedAt: null }
      // Ready once is what the stage promised; being deleted afterwards is as it should be.
      if (clusterState === 'RUNNING' && !isOver(before.state)) return { ...known, state: 'success', detail: null, endedAt: at }
      return known
    },
  )
}

const JOB_STATES: Readonly<Record<string, StageState>> = {
  DONE: 'success',
  ERROR: 'failed',
  ATTEMPT_FAILURE: 'failed',
  CANCELLED: 'cancelled',
}

export function foldJob(owner: Refresh, { facts, by, at }: Event<'job.changed'>): Refresh {
  const { jobId, detail, inputRows, outputRows } = facts
  const task = taskOf(by)
  const state = JOB_STATES[facts.state] ?? 'running'
  return changeStage(
    owner,
    'transform',
    (stage) => stage.jobId === jobId || isSameTask(stage.task, task),
    (before) => {
      const isAgain = before.jobId !== null && before.jobId !== jobId
      return {
        jobId,
        task: task ?? before.task,
        state,
        detail,
        inputRows,
        outputRows,
        progress: state === 'success' ? 1 : (facts.progress ?? (isAgain ? null : before.progress)),
        startedAt: isAgain ? at : (before.startedAt ?? at),
        endedAt: isOver(state) ? at : null,
      }
    },
  )
}
