/** Keeps the list of refreshes as the platform has it: read whole whenever the live stream opens, then changed by each event. */
import type { Refresh, Watcher } from './platform.ts'
import { PlatformError } from './platform.ts'
import { requestJson } from './request.ts'

const NEXT_TRY_MS = 3000

export function watchRefreshes(watcher: Watcher): () => void {
  let refreshes: readonly Refresh[] = []
  let source: EventSource | undefined
  let retry: ReturnType<typeof setTimeout> | undefined
  let isOver = false

  const tell = (changed: readonly Refresh[]) => {
    if (isOver) return
    refreshes = changed.toSorted((a, b) => b.createdAt.localeCompare(a.createdAt))
    watcher.onRefreshes(refreshes)
  }

  const readAll = async () => {
    try {
      const { refreshes: all } = await requestJson<{ refreshes: Refresh[] }>('/api/v1/refreshes?limit=100')
      tell(all)
      return true
    } catch (error) {
      if (!isOver && error instanceof PlatformError && error.status === 401) watcher.onLoggedOut()
      return false
    }
  }

  const open = () => {
    source?.close()
    source = new EventSource('/api/v1/events')
    source.addEventListener('open', async () => {
      if (await readAll()) watcher.onLiveness('live')
    })
    source.addEventListener('refresh', (event: MessageEvent<string>) => {
      const refresh = JSON.parse(event.data) as Refresh
      tell([refresh, ...refreshes.filter(({ id }) => id !== refresh.id)])
    })
    source.addEventListener('error', () => {
      if (isOver) return
      watcher.onLiveness('lost')
      // The browser comes back by itself after a lost connection, but not after a refusal.
      if (source?.readyState !== EventSource.CLOSED) return
      clearTimeout(retry)
      retry = setTimeout(async () => {
        await readAll()
        if (!isOver) open()
      }, NEXT_TRY_MS)
    })
  }

  watcher.onLiveness('connecting')
  open()
  return () => {
    isOver = true
    clearTimeout(retry)
    source?.close()
  }
}
