/** The refreshes as they are now, and whether "now" is live. Null until the platform has told them for the first time. */
import { useEffect, useState } from 'react'
import { type Liveness, type Refresh, usePlatform } from './api/platform.ts'

export function useRefreshes(onLoggedOut: () => void): { refreshes: readonly Refresh[] | null; liveness: Liveness } {
  const platform = usePlatform()
  const [refreshes, onRefreshes] = useState<readonly Refresh[] | null>(null)
  const [liveness, onLiveness] = useState<Liveness>('connecting')
  useEffect(() => platform.watch({ onRefreshes, onLiveness, onLoggedOut }), [platform, onLoggedOut])
  return { refreshes, liveness }
}

/** The time, again every second while `isTicking`. */
export function useNow(isTicking: boolean): number {
  const [now, setNow] = useState(Date.now)
  useEffect(() => {
    setNow(Date.now())
    if (!isTicking) return
    const timer = setInterval(() => setNow(Date.now()), 1000)
    return () => clearInterval(timer)
  }, [isTicking])
  return now
}
