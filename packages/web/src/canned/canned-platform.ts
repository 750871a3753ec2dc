/** A told story in place of a platform. Its events go through the same fold as the real ones, so that the page cannot tell. */
import type { DomainEvent } from '../../../platform/src/core/events.ts'
import { fold } from '../../../platform/src/refreshes/fold.ts'
import type { Health, Platform, Refresh } from '../api/platform.ts'
import { PlatformError } from '../api/platform.ts'
import { servingOf } from '../serving/serving.ts'
import { cannedLog } from './log.ts'
import { type Told, weeklyRefresh } from './story.ts'

const WEEK_MS = 7 * 86_400_000
const RUNNING_SECOND = 25
/** Monday 05:00 UTC, the last one that has been. The first of January 1970 was a Thursday. */
const FIRST_MONDAY_MS = (4 * 24 + 5) * 3_600_000
const LAST_MONDAY = Date.now() - ((Date.now() - FIRST_MONDAY_MS) % WEEK_MS)

export function cannedPlatform(name: string): Platform {
  const refuse = async () => {
    throw new PlatformError(0, 'This is canned data. Open the page without ?canned to talk to a platform.')
  }
  return {
    cannedName: name,
    account: async () => ({ name: 'admin', role: 'admin', project: 'daggerboard' }),
    login: refuse,
    logout: async () => {},
    isScheduleOff: async () => false,
    startRefresh: refuse,
    watch: (watcher) => {
      watcher.onRefreshes(cannedRefreshes(name))
      watcher.onLiveness('live')
      return () => {}
    },
    followLog: async (source, { onText }) => onText(cannedLog(source)),
    health: async (service) => cannedHealth(name, service),
    predict: async () => ({ probability: 0.8312, willBuy: true, milliseconds: 11.4 }),
  }
}

/** `running`, `success`, `failed` (at the gate), `broken` (at the transform), `empty`. */
export function cannedRefreshes(name: string): readonly Refresh[] {
  if (name === 'empty') return []
  const earlier = [4, 3, 2, 1].flatMap((weeksAgo) => {
    const week = new Date(LAST_MONDAY - weeksAgo * WEEK_MS)
    const ending = weeksAgo === 3 ? 'gate fails' : 'success'
    const staging = weeklyRefresh({ began: week, week, version: 11 - 2 * weeksAgo, environment: 'staging', ending })
    const later = new Date(week.getTime() + 3_600_000)
    const production = weeksAgo === 3 ? [] : weeklyRefresh({ began: later, week, version: 12 - 2 * weeksAgo, environment: 'production' })
    return [...dated(staging, week), ...dated(production, later)]
  })
  const week = new Date(LAST_MONDAY)
  const began = name === 'running' ? new Date(Date.now() - RUNNING_SECOND * 1000) : week
  const ending = name === 'failed' ? 'gate fails' : name === 'broken' ? 'transform fails' : 'success'
  const newest = weeklyRefresh({ began, week, version: 11, environment: 'staging', ending })
  const shown = name === 'running' ? newest.filter(({ second }) => second <= RUNNING_SECOND) : newest
  return [...earlier, ...dated(shown, began)].reduce(fold, [] as readonly Refresh[])
}

function cannedHealth(name: string, service: string): Health {
  const { refresh } = servingOf(cannedRefreshes(name)).find((serving) => serving.service === service) ?? {}
  const model = refresh?.stages.find((stage) => stage.kind === 'model')
  return { model: model?.kind === 'model' && model.version ? { name: 'purchase_predict', version: model.version } : null, problem: null }
}

const dated = (story: readonly Told[], began: Date): DomainEvent[] =>
  story.map(
    ({ second, ...event }, index) => ({ ...event, id: index, at: new Date(began.getTime() + second * 1000).toISOString() }) as DomainEvent,
  )
