/** What answers in which service, as far as the refreshes and the services themselves tell. */
import type { Health, Refresh } from '../api/platform.ts'

export interface Serving {
  readonly service: string
  readonly environment: string | null
  readonly revision: string
  readonly percent: number
  readonly since: string | null
  /** The refresh that brought the revision. */
  readonly refresh: Refresh
}

/** Of each service the revision that gets the most traffic; services of staging first. */
export function servingOf(refreshes: readonly Refresh[]): Serving[] {
  const servings = new Map<string, Serving>()
  for (const refresh of refreshes)
    for (const stage of refresh.stages) {
      if (stage.kind !== 'traffic' || stage.service === null || stage.revision === null || !stage.percent) continue
      const { service, revision, percent, startedAt: since } = stage
      if (percent <= (servings.get(service)?.percent ?? 0)) continue
      servings.set(service, { service, environment: environmentOf(service, refresh), revision, percent, since, refresh })
    }
  return [...servings.values()].sort((a, b) => (b.environment ?? '').localeCompare(a.environment ?? ''))
}

const environmentOf = (service: string, { environment }: Refresh): string | null =>
  /(?:^|-)(staging|production)$/.exec(service)?.[1] ?? environment

/** What the refreshes know of the model that a service says it answers from. */
export function modelOf(refreshes: readonly Refresh[], model: Health['model']) {
  for (const refresh of refreshes)
    for (const stage of refresh.stages)
      if (stage.kind === 'model' && model && stage.name === model.name && stage.version === model.version)
        return { auc: stage.metrics.auc, interval: refresh.dataInterval }
  return { auc: undefined, interval: null }
}
