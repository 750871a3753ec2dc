/** Refreshes, the live stream, and the page that shows them. */
import { join } from 'node:path'
import { SqliteRefreshStore } from '../adapters/sqlite/refresh.ts'
import { liveDoor } from '../http/live/live-door.ts'
import { webDoor } from '../http/web.ts'
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
  return { doors: [liveDoor({ events, refreshes, clock, signal: stopping })], services: [refreshes] }
}

/** Mounted last: it answers what no protocol has answered. */
export const composeWeb = (): Part => ({ doors: [webDoor({ folder: join(ROOT, 'packages/web/dist') })] })
