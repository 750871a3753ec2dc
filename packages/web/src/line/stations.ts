/** The line as it is drawn: the stages of a refresh gathered into stations, each with the few words that matter. */
import type { BuildStage, LogSource, Refresh, Stage, StageState } from '../api/platform.ts'
import { bytes, compact, count, interval, percent, score, shortDigest, tail } from '../format.ts'

export interface Stop {
  readonly stage: Stage
  /** The one thing to read. */
  readonly headline: string
  readonly remark: string
  readonly log: LogSource | null
  /** Of a refresh that serves both environments: which of them this stop is of. */
  readonly lane: string | null
}

export interface Station {
  readonly key: string
  readonly title: string
  readonly state: StageState
  /** From 0 to 1: how much of the way to this station has been made. All of it once a later one has begun. */
  readonly progress: number
  readonly isPassed: boolean
  /** One, or two when the refresh serves both environments. */
  readonly stops: readonly Stop[]
}

const TITLES: Readonly<Record<string, string>> = {
  interval: 'Interval',
  cluster: 'Cluster',
  transform: 'Transform',
  build: 'Build',
  training: 'Search',
  model: 'Model',
  'nested build': 'API build',
  image: 'Image',
  revision: 'Revision',
  traffic: 'Traffic',
}

export function stationsOf(refresh: Refresh): Station[] {
  const stations = new Map<string, Stop[]>()
  for (const stage of refresh.stages) {
    const key = stage.kind === 'build' && stage.nested ? 'nested build' : stage.kind
    const stop = { stage, ...wordsOf(stage), log: logOf(refresh, stage), lane: laneOf(refresh, stage) }
    stations.set(key, [...(stations.get(key) ?? []), stop])
  }
  const hasBegun = ([, stops]: [string, Stop[]]) => stops.some(({ stage: { state } }) => state !== 'waiting' && state !== 'skipped')
  const furthest = [...stations].findLastIndex(hasBegun)
  return [...stations].map(([key, stops], index) => {
    const isPassed = index < furthest && !stops.some(({ stage }) => stage.state === 'failed')
    const progress = isPassed ? 1 : Math.min(...stops.map(({ stage }) => progressOf(stage)))
    return { key, title: TITLES[key] ?? key, state: worst(stops), progress, isPassed, stops }
  })
}

/** The two environments that a refresh serves, in the order of its lanes; none when it serves but one. */
export const lanesOf = ({ environment }: Refresh): string[] => (environment?.includes(' and ') ? environment.split(' and ') : [])

const LANES: Readonly<Record<string, string>> = { staging: 'staging', master: 'production' }

function laneOf(refresh: Refresh, stage: Stage): string | null {
  if (lanesOf(refresh).length === 0 || !('buildId' in stage)) return null
  const build = refresh.stages.find((each) => each.kind === 'build' && each.buildId !== null && each.buildId === stage.buildId)
  return build?.kind === 'build' && build.branch !== null ? (LANES[build.branch] ?? null) : null
}

const URGENCY: readonly StageState[] = ['failed', 'cancelled', 'running', 'waiting', 'success', 'skipped']
const worst = (stops: readonly Stop[]): StageState => URGENCY.find((state) => stops.some(({ stage }) => stage.state === state)) ?? 'waiting'

function wordsOf(stage: Stage): { headline: string; remark: string } {
  if (stage.state === 'waiting') return { headline: '', remark: '' }
  if (stage.state === 'skipped') return { headline: '', remark: 'not reached' }
  const words = wordsOfKind(stage)
  return words.headline === '' && stage.state === 'failed' ? { ...words, headline: 'failed' } : words
}

function wordsOfKind(stage: Stage): { headline: string; remark: string } {
  switch (stage.kind) {
    case 'interval':
      return { headline: lengthOf(stage), remark: stage.start && stage.end ? interval({ start: stage.start, end: stage.end }) : '' }
    case 'cluster':
      return clusterWords(stage)
    case 'transform': {
      const events = stage.inputRows ? `of ${compact(stage.inputRows)} events` : ''
      if (stage.state === 'success' && stage.outputRows !== null) return { headline: `${count(stage.outputRows)} rows`, remark: events }
      if (stage.state !== 'running') return { headline: '', remark: '' }
      return { headline: stage.progress ? percent(stage.progress) : 'starting', remark: events }
    }
    case 'build': {
      const done = stage.steps.filter(({ status }) => status === 'SUCCESS').length
      const at = stage.steps.findIndex(({ status }) => status !== 'SUCCESS' && status !== 'QUEUED')
      if (at >= 0) return { headline: stage.steps[at]?.id ?? '', remark: `step ${at + 1} of ${stage.steps.length}` }
      const source = stage.commitSha === null ? tail(stage.repository ?? '') : `at ${stage.commitSha.slice(0, 7)}`
      if (done === 0) return { headline: stage.state === 'running' ? 'starting' : '', remark: source }
      return { headline: `${done} of ${stage.steps.length} steps`, remark: source }
    }
    case 'training':
      return {
        headline: stage.best !== null ? score(stage.best) : stage.state === 'running' ? 'starting' : '',
        remark: `${stage.best === null ? '' : 'AUC, '}${stage.maxEvals === null ? stage.trials : `${stage.trials} of ${stage.maxEvals}`} trials`,
      }
    case 'model':
      return { headline: `v${stage.version}`, remark: modelRemark(stage.stage, stage.state) }
    case 'image':
      return { headline: stage.bytes === null ? '' : bytes(stage.bytes), remark: stage.digest === null ? '' : shortDigest(stage.digest) }
    case 'revision':
      return { headline: stage.revisionState ?? '', remark: tail(stage.revision ?? '') }
    case 'traffic':
      return { headline: `${stage.percent === 0 ? 'now ' : ''}${stage.percent ?? 0} %`, remark: tail(stage.service ?? '') }
  }
}

function clusterWords({ clusterState, name, state }: Extract<Stage, { kind: 'cluster' }>): { headline: string; remark: string } {
  if (clusterState === 'DELETED') return { headline: 'deleted', remark: 'after use' }
  const word = clusterState === 'RUNNING' ? 'ready' : (clusterState ?? (state === 'running' ? 'starting' : '')).toLowerCase()
  return { headline: word, remark: tail(name ?? '') }
}

function modelRemark(stage: string | null, state: StageState): string {
  if (stage !== null && stage !== 'None') return stage
  return state === 'running' ? 'at the gate' : state === 'failed' ? 'held back' : 'no stage'
}

function lengthOf({ start, end }: { start: string | null; end: string | null }): string {
  if (start === null || end === null) return ''
  const days = (Date.parse(end) - Date.parse(start)) / 86_400_000
  if (days === 0) return 'no span'
  return days === 1 ? '1 day' : `${Number(days.toFixed(1))} days`
}

function progressOf(stage: Stage): number {
  if (stage.state === 'waiting' || stage.state === 'skipped') return 0
  if (stage.state !== 'running') return 1
  if (stage.kind === 'transform' && stage.progress !== null) return Math.max(0.06, stage.progress)
  if (stage.kind === 'training' && stage.maxEvals) return Math.max(0.06, Math.min(1, stage.trials / stage.maxEvals))
  if (stage.kind === 'build' && stage.steps.length > 0) {
    const ended = stage.steps.filter(({ endedAt }) => endedAt !== null).length
    return (ended + 0.5) / stage.steps.length
  }
  return 0.5
}

/** What to read about a stage: its own log, or that of the build which did it. */
export function logOf(refresh: Refresh, stage: Stage): LogSource | null {
  const { dagId, runId } = refresh.origin
  switch (stage.kind) {
    case 'interval':
      return null
    case 'cluster':
    case 'transform':
      return dagId && runId && stage.task ? { kind: 'task', dagId, runId, ...stage.task } : null
    case 'build':
      if (stage.buildId !== null) return { kind: 'build', buildId: stage.buildId, step: null }
      return dagId && runId && stage.task ? { kind: 'task', dagId, runId, ...stage.task } : null
    case 'training':
    case 'model':
    case 'image':
      return stage.buildId === null
        ? null
        : { kind: 'build', buildId: stage.buildId, step: stepOf(refresh, stage.buildId, stage.startedAt) }
    case 'revision':
    case 'traffic':
      if (stage.service !== null && stage.revision !== null) return { kind: 'revision', service: stage.service, revision: stage.revision }
      return stage.buildId === null ? null : { kind: 'build', buildId: stage.buildId, step: null }
  }
}

/** The step that the build was at then. */
function stepOf({ stages }: Refresh, buildId: string, at: string | null): number | null {
  const build = stages.find((stage): stage is BuildStage => stage.kind === 'build' && stage.buildId === buildId)
  const index = build?.steps.findLastIndex(({ startedAt }) => startedAt !== null && at !== null && startedAt <= at) ?? -1
  return index < 0 ? null : index
}

export const STATE_WORDS: Readonly<Record<string, string>> = {
  waiting: 'waiting',
  queued: 'queued',
  running: 'running',
  success: 'succeeded',
  failed: 'failed',
  cancelled: 'cancelled',
  skipped: 'not reached',
}
