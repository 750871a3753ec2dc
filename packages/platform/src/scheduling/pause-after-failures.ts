/** A DAG whose last runs have all failed may want to be paused then (`maxConsecutiveFailedRuns`). */
import { messageOf } from '../core/app-error.ts'
import type { Logger } from '../core/logger.ts'
import type { DagStore } from './dag.ts'
import type { DagRunStore } from './dag-run.ts'
import type { KnownDags } from './known-dags.ts'

interface PauseOptions {
  /** How many runs have to fail in a row; 0 for a DAG that is never paused so. */
  readonly most: number
  readonly stores: { readonly dags: DagStore; readonly runs: DagRunStore }
  readonly known: KnownDags
  readonly logger: Logger
}

/** To be asked when a run has failed. A store that refuses is logged and not thrown: the run has failed all the same. */
export async function pauseAfterFailures(dagId: string, { most, stores, known, logger }: PauseOptions): Promise<void> {
  if (most <= 0) return
  try {
    const last = await stores.runs.listLastEnded(dagId, most)
    if (last.length < most || last.some(({ state }) => state !== 'failed')) return
    await stores.dags.setPaused([dagId], true)
    known.expire()
    logger.warn(`DAG "${dagId}" is paused: its last ${most} runs have failed.`)
  } catch (error) {
    logger.error(`DAG "${dagId}" could not be paused after its failures.`, { error: messageOf(error) })
  }
}
