/** Asks the services that have traffic how they are: at once when their revision changes, and again while the page is looked at. */
import { useEffect, useState } from 'react'
import { type Health, usePlatform } from '../api/platform.ts'
import type { Serving } from './serving.ts'

const ASK_AGAIN_MS = 15_000

/** By the name of the service; nothing of one that has not answered yet. */
export function useHealths(servings: readonly Serving[]): ReadonlyMap<string, Health> {
  const platform = usePlatform()
  const [healths, setHealths] = useState<ReadonlyMap<string, Health>>(new Map())
  const key = JSON.stringify(servings.map(({ service, revision }) => [service, revision]))
  useEffect(() => {
    const leaving = new AbortController()
    const ask = () => {
      if (document.hidden) return
      for (const [service] of JSON.parse(key) as [string, string][])
        void platform
          .health(service, leaving.signal)
          .then((health) => leaving.signal.aborted || setHealths((before) => new Map(before).set(service, health)))
    }
    ask()
    const timer = setInterval(ask, ASK_AGAIN_MS)
    document.addEventListener('visibilitychange', ask)
    return () => {
      leaving.abort()
      clearInterval(timer)
      document.removeEventListener('visibilitychange', ask)
    }
  }, [platform, key])
  return healths
}
