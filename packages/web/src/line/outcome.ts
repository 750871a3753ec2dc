/** A refresh in one sentence, for whoever sees the page for the first time. */
import type { ModelStage, Refresh } from '../api/platform.ts'
import { count, score } from '../format.ts'
import type { Serving } from '../serving/serving.ts'
import { type Stop, stationsOf } from './stations.ts'

export function sentenceOf(refresh: Refresh): string {
  if (refresh.state === 'queued') return 'It waits: its DAG is paused, or busy with another run.'
  if (refresh.state === 'running') return nowOf(refresh)
  if (refresh.state === 'success') return achievementOf(refresh)
  const verb = refresh.state === 'failed' ? 'stopped' : 'was cancelled'
  const last = stoppedAt(refresh)
  return last === null ? `It ${verb}.` : `It ${verb} at ${last}.`
}

/** The title of the station at which it went no further. */
export function stoppedAt(refresh: Refresh): string | null {
  const stations = stationsOf(refresh)
  const station = stations.findLast(({ state }) => state === 'failed') ?? stations.findLast(({ state }) => state === 'cancelled')
  if (!station) return null
  const lane = station.stops.find(({ stage }) => stage.state === station.state)?.lane
  return lane ? `${station.title} in ${lane}` : station.title
}

function nowOf(refresh: Refresh): string {
  const station = stationsOf(refresh).findLast(({ state }) => state === 'running')
  if (!station) return 'It is on its way.'
  const stop = station.stops.find(({ stage }) => stage.state === 'running')
  return `${station.title}: ${stop ? doingOf(stop) : 'under way'}.`
}

function doingOf({ stage, headline, remark }: Stop): string {
  if (stage.kind === 'training' && stage.best !== null)
    return `${stage.trials}${stage.maxEvals === null ? '' : ` of ${stage.maxEvals}`} trials, best AUC ${score(stage.best)}`
  return [headline, remark].filter(Boolean).join(stage.kind === 'transform' ? ' ' : ', ') || 'under way'
}

function achievementOf({ stages, environment }: Refresh): string {
  const models = stages.filter((stage): stage is ModelStage => stage.kind === 'model' && stage.version !== null)
  const traffic = stages.filter((stage) => stage.kind === 'traffic' && stage.service !== null)
  const transform = stages.find((stage) => stage.kind === 'transform')
  const source =
    transform?.kind === 'transform' && transform.inputRows !== null ? `, learnt from ${count(transform.inputRows)} events,` : ''
  const who = models.length === 0 ? 'The new revision of the API' : `Model ${models.map(nameOf).join(' and ')}${source}`
  const where = environment === null ? '' : ` in ${environment}`
  if (traffic.length === 0) return models.length === 0 ? 'All of it succeeded.' : `${who} is registered.`
  const isServing = traffic.some((stage) => stage.kind === 'traffic' && (stage.percent ?? 0) > 0)
  return isServing ? `${who} answers the requests${where}.` : `${who} answered${where} until a later one took over.`
}

const nameOf = ({ version, metrics: { auc } }: ModelStage): string => `v${version}${auc === undefined ? '' : ` (AUC ${score(auc)})`}`

/** Whoever reads of a failure asks first whether users notice. */
export function stillServing(refresh: Refresh, servings: readonly Serving[], modelName: (service: string) => string | null): string {
  const { environment } = refresh
  const concerned = servings.filter((serving) => environment === null || environment.includes(serving.environment ?? ''))
  if (concerned.length === 0) return environment === null ? '' : `Nothing serves in ${environment} yet.`
  const words = concerned.map(({ service, revision, environment: name }) => {
    const model = modelName(service)
    return `${name ?? service} answers from ${model === null ? '' : `${model}, `}revision ${revision}`
  })
  const isOwn = concerned.some((serving) => serving.refresh.id === refresh.id)
  return `${isOwn ? 'Its new revision serves all the same' : 'Users notice nothing'}: ${words.join('; ')}.`
}
