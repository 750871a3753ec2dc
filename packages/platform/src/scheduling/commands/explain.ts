/** Why a task does not run. */
import { AppError } from '../../core/app-error.ts'
import { type Explanation, explain as explainInstance } from '../explain.ts'
import { lookBack } from '../look-back.ts'
import { type Command, requireRun, takeUp } from './command.ts'

/** Throws `not_found`. */
export async function explain(
  command: Command,
  { dagId, runId, taskId, mapIndex, parallelism }: { dagId: string; runId: string; taskId: string; mapIndex: number; parallelism: number },
): Promise<Explanation> {
  const { turn, stores, dags } = command
  await dags.find(dagId)
  const of = await takeUp(command, await requireRun(command, dagId, runId))
  if (of.plan?.looksBack) await lookBack([of], turn.board, stores)
  const instance = of.find(taskId, mapIndex)
  if (!instance) {
    const which = mapIndex < 0 ? '' : ` [${mapIndex}]`
    throw new AppError('not_found', `There is no task "${taskId}"${which} in run "${runId}" of DAG "${dagId}".`)
  }
  return explainInstance(turn.board, parallelism, of, instance, turn.now)
}
