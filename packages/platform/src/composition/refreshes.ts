/** Refreshes, the live stream, and the page that shows them. */
import { join } from 'node:path'
import { SqliteRefreshStore } from '../adapters/sqlite/refresh.ts'
import { createLiveDoor } from '../http/live/door.ts'
import { createWebDoor } from '../http/web.ts'
import { RefreshLog } from '../refreshes/refresh-log.ts'
import { ROOT } from '../settings.ts'
import type { Ground, Part } from './part.ts'

export function composeRefreshes({ db, clock, events, logger, stopping }: Ground): Part {
  const refreshes = new RefreshLog({
    store: new SqliteRefreshStore(db),
    events,
    clock,
    onError: (error) => logger.error('A refresh was not kept', { error }),
  })
  return { doors: [createLiveDoor({ events, refreshes, clock, signal: stopping })], services: [refreshes] }
}

/** Mounted last: it answers what no protocol has answered. */
export const composeWeb = (): Part => ({ doors: [createWebDoor({ folder: join(ROOT, 'packages/web/dist') })] })
