/** What people do with assets. */
import { AppError } from '../../core/app-error.ts'
import type { Pattern } from '../../core/pattern.ts'
import type { Asset, AssetEvent, AssetStore } from '../asset.ts'
import type { DagRun } from '../dag-run.ts'
import type { RunRequest } from '../manual-run.ts'
import type { Command } from './command.ts'
import { trigger } from './run.ts'

/** Throws `not_found`. */
export async function createAssetEvent(
  { turn, stores, assets }: Command,
  { assetId, extra, by }: { assetId: number; extra: AssetEvent['extra']; by: string },
): Promise<AssetEvent> {
  const asset = await requireAsset(stores.assets, assetId)
  if (!assets) throw new AppError('internal', 'This scheduler has no assets.')
  return assets.recordEvent(turn, { asset, extra, createdBy: by }, stores.runs)
}

/** Triggers the DAG that updates the asset. Throws `not_found`, `conflict` when there are several, and what a trigger throws. */
export async function materialize(
  command: Command,
  { assetId, request, by, runIds }: { assetId: number; request: RunRequest; by: string; runIds: Pattern | undefined },
): Promise<DagRun> {
  const { name } = await requireAsset(command.stores.assets, assetId)
  const producers = [...command.turn.board.dags.values()].filter(
    ({ record }) =>
      !record.isStale &&
      record.document.tasks.some(({ outlets }) => outlets.some((outlet) => 'asset' in outlet && outlet.asset.name === name)),
  )
  const [producer, other] = producers
  if (!producer) throw new AppError('not_found', `No DAG updates the asset "${name}".`)
  if (other) {
    const ids = producers.map(({ record }) => `"${record.dagId}"`).join(', ')
    throw new AppError('conflict', `The asset "${name}" is updated by several DAGs: ${ids}. Trigger the one that you mean.`)
  }
  return trigger(command, producer.record.dagId, { ...request, runType: 'asset_materialization' }, by, runIds)
}

async function requireAsset(store: AssetStore | undefined, assetId: number): Promise<Asset> {
  const asset = await store?.find(assetId)
  if (asset) return asset
  throw new AppError('not_found', `There is no asset ${assetId}. GET /api/v2/assets lists them.`)
}
