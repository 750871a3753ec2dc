/** Where a refresh stopped and why, in the words that help most. */
import type { BuildStage, Refresh, Stage } from '../api/platform.ts'
import type { Station } from './stations.ts'

export interface Failure {
  /** Where it stopped. */
  readonly heading: string
  readonly sentence: string
  /** What the part itself said last, as it stands in its log. */
  readonly quote: string | null
}

/** Cloud Build's words for a step that failed, and behind them what the step said. */
const STEP_FAILURE = /^Build step failure: build step (\d+) "[^"]*" failed: step exited with non-zero status: (\d+)(?:: ([\s\S]+))?$/

export function readFailure(refresh: Refresh, station: Station | undefined): Failure | null {
  const { reason } = refresh
  if (reason === null) return null
  const build = refresh.stages.find((stage): stage is BuildStage => stage.kind === 'build' && stage.detail === reason)
  const [, index, status, said] = STEP_FAILURE.exec(reason) ?? []
  if (index === undefined) return { heading: headingOf(station), ...splitAtFirstLine(reason) }
  const step = build?.steps[Number(index)]?.id ?? `#${index}`
  const place = `Step \u201c${step}\u201d of ${build?.repository ?? 'the build'} ended with exit status ${status}.`
  // What the gate says is for people already.
  if (said !== undefined && stationIs(station, 'model'))
    return { heading: headingOf(station), sentence: said.replace(/^Node "[^"]*": /, ''), quote: null }
  const isBuild = station?.stops.some(({ stage }) => stage === build)
  return {
    heading: isBuild ? `${station?.title} stopped at its step \u201c${step}\u201d.` : headingOf(station),
    sentence: said === undefined ? `${place} Its log says why.` : isBuild ? `It ended with exit status ${status} and said:` : place,
    quote: said?.trim() || null,
  }
}

const stationIs = (station: Station | undefined, kind: Stage['kind']): boolean => station?.stops[0]?.stage.kind === kind

function headingOf(station: Station | undefined): string {
  const failed = station?.stops.find(({ stage }) => stage.state === 'failed')?.stage
  if (failed?.kind === 'model') return `Model v${failed.version} was held back.`
  if (failed?.kind === 'revision') return 'The new revision never became ready.'
  return station ? `${station.title} failed.` : 'The refresh failed.'
}

function splitAtFirstLine(reason: string): { sentence: string; quote: string | null } {
  const [sentence = '', ...rest] = reason.split('\n')
  // How deep in which library it happened is for the log, not for here.
  const telling = rest.filter((line) => !/^\s+at |^Node\.js v|^\s*\^+\s*$|^--- /.test(line)).join('\n')
  return { sentence, quote: telling.replace(/\n{2,}/g, '\n').trim() || null }
}
