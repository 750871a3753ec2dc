/** Everything that the scheduler keeps: the ports that its turns and commands read and write through. */
import type { AssetStore } from './asset.ts'
import type { BackfillStore } from './backfill.ts'
import type { CallbackStore } from './callback.ts'
import type { CancellationStore } from './cancellation.ts'
import type { DagStore } from './dag.ts'
import type { DagRunStore } from './dag-run.ts'
import type { PoolStore } from './pool.ts'
import type { TaskInstanceStore } from './task-instance.ts'

export interface Stores {
  readonly dags: DagStore
  readonly runs: DagRunStore
  readonly instances: TaskInstanceStore
  /** Without: one pool for everything, of 128 slots. */
  readonly pools?: PoolStore | undefined
  readonly backfills?: BackfillStore | undefined
  readonly assets?: AssetStore | undefined
  readonly callbacks?: CallbackStore | undefined
  /** Without: what was to be cancelled when the platform ended goes on. */
  readonly cancellations?: CancellationStore | undefined
}
