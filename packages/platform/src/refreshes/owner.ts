/** Which refresh an event belongs to: its `by` names the task or the build that caused it. */
import type { Refresh, TaskReference } from './refresh.ts'

type Subject =
  | { readonly kind: 'task'; readonly dagId: string; readonly runId: string; readonly task: TaskReference }
  | { readonly kind: 'build'; readonly buildId: string }

/** Reads `task:DAG/RUN/TASK#TRY` and `build:ID`; null for everybody else. */
function parseSubject(by: string): Subject | null {
  const task = /^task:([^/]+)\/(.+)\/([^/]+)#(\d+)$/.exec(by)
  if (task) {
    const [, dagId = '', runId = '', taskId = '', tryNumber] = task
    return { kind: 'task', dagId, runId, task: { taskId, tryNumber: Number(tryNumber) } }
  }
  return by.startsWith('build:') ? { kind: 'build', buildId: by.slice('build:'.length) } : null
}

export const taskOf = (by: string): TaskReference | null => {
  const subject = parseSubject(by)
  return subject?.kind === 'task' ? subject.task : null
}

export const buildOf = (by: string): string | null => {
  const subject = parseSubject(by)
  return subject?.kind === 'build' ? subject.buildId : null
}

export function ownerOf(refreshes: readonly Refresh[], by: string): Refresh | undefined {
  const subject = parseSubject(by)
  if (subject?.kind === 'task') return ownerOfRun(refreshes, subject.dagId, subject.runId)
  if (subject?.kind === 'build') return ownerOfBuild(refreshes, subject.buildId)
  return undefined
}

export const ownerOfRun = (refreshes: readonly Refresh[], dagId: string, runId: string): Refresh | undefined =>
  refreshes.find(({ origin }) => origin.dagId === dagId && origin.runId === runId)

export const ownerOfBuild = (refreshes: readonly Refresh[], buildId: string): Refresh | undefined =>
  refreshes.find(({ stages }) => stages.some((stage) => stage.kind === 'build' && stage.buildId === buildId))
