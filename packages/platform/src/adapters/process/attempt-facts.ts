import type { LeanFacts } from '../../execution/worker-protocol.ts'
import type { Attempt } from '../../scheduling/task-runner.ts'

/** What travels with each try: not its documents. */
export function leanFacts(attempt: Attempt): LeanFacts {
  const { attemptId: _, file: _file, dag: _dag, task: _task, ...facts } = attempt
  return facts
}
