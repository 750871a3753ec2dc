/** The line as it is drawn: the stages of a refresh gathered into stations, each with the few words that matter. */
import type { LogSource, Refresh, Stage, StageState } from '../api/platform.ts'
import { bytes, compact, count, interval, percent, score, shortDigest, tail } from '../format.ts'

export interface Stop {
  readonly stage: Stage
  /** The one thing to read. */
  readonly headline: string
  readonly remark: string
  readonly log: LogSource | null
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
    const stop = { stage, ...wordsOf(stage), log: logOf(refresh, stage) }
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

const URGENCY: readonly StageState[] = ['failed', 'cancelled', 'running', 'waiting', 'success', 'skipped']
const worst = (stops: readonly Stop[]): StageState => URGENCY.find((state) => stops.some(({ stage }) => stage.state === state)) ?? 'waiting'

function wordsOf(stage: Stage): { headline: string; remark: string } {
  if (stage.state === 'waiting') return { headline: '', remark: '' }
  if (stage.state === 'skipped') return { headline: '', remark: 'not reached' }
  switch (stage.kind) {
    case 'interval':
      return { headline: lengthOf(stage), remark: stage.start && stage.end ? interval({ start: stage.start, end: stage.end }) : '' }
    case 'cluster':
      return { headline: (stage.clusterState ?? 'starting').toLowerCase(), remark: tail(stage.name ?? '') }
    case 'transform':
      if (stage.outputRows !== null)
        return {
          headline: `${count(stage.outputRows)} rows`,
          remark: stage.inputRows === null ? '' : `of ${compact(stage.inputRows)} events`,
        }
      return {
        headline: stage.progress === null ? '' : percent(stage.progress),
        remark: stage.state === 'running' ? 'reading events' : 'of the way',
      }
    case 'build': {
      const done = stage.steps.filter(({ status }) => status === 'SUCCESS').length
      const at = stage.steps.findIndex(({ status }) => status !== 'SUCCESS' && status !== 'QUEUED')
      if (at >= 0) return { headline: stage.steps[at]?.id ?? '', remark: `step ${at + 1} of ${stage.steps.length}` }
      const commit = stage.commitSha === null ? (stage.repository ?? '') : `at ${stage.commitSha.slice(0, 7)}`
      return { headline: stage.steps.length > 0 ? `${done} of ${stage.steps.length} steps` : '', remark: commit }
    }
    case 'training':
      return {
        headline: stage.best === null ? '' : score(stage.best),
        remark: stage.maxEvals === null ? `${stage.trials} trials` : `${stage.trials} of ${stage.maxEvals} trials`,
      }
    case 'model':
      return { headline: `v${stage.version}`, remark: stage.stage === 'None' ? 'no stage' : (stage.stage ?? '') }
    case 'image':
      return { headline: stage.bytes === null ? '' : bytes(stage.bytes), remark: stage.digest === null ? '' : shortDigest(stage.digest) }
    case 'revision':
      return { headline: stage.revisionState ?? '', remark: tail(stage.revision ?? '') }
    case 'traffic':
      return { headline: `${stage.percent ?? 0} %`, remark: tail(stage.service ?? '') }
  }
}

function lengthOf({ start, end }: { start: string | null; end: string | null }): string {
  if (start === null || end === null) return ''
  const days = (Date.parse(end) - Date.parse(start)) / 86_400_000
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
export function logOf({ origin: { dagId, runId } }: Refresh, stage: Stage): LogSource | null {
  switch (stage.kind) {
    case 'interval':
      return null
    case 'cluster':
    case 'transform':
      return dagId && runId && stage.task ? { kind: 'task', dagId, runId, ...stage.task } : null
    case 'build':
      if (stage.buildId !== null) return { kind: 'build', buildId: stage.buildId }
      return dagId && runId && stage.task ? { kind: 'task', dagId, runId, ...stage.task } : null
    case 'training':
    case 'model':
    case 'image':
      return stage.buildId === null ? null : { kind: 'build', buildId: stage.buildId }
    case 'revision':
    case 'traffic':
      if (stage.service !== null && stage.revision !== null) return { kind: 'revision', service: stage.service, revision: stage.revision }
      return stage.buildId === null ? null : { kind: 'build', buildId: stage.buildId }
  }
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
