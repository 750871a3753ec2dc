/** What this refresh is, how it went or goes in one sentence, and since when. */
import type { Refresh } from '../api/platform.ts'
import { duration, elapsed, interval, moment } from '../format.ts'
import { Glyph } from '../line/glyph.tsx'
import { sentenceOf } from '../line/outcome.ts'
import { STATE_WORDS } from '../line/stations.ts'
import './headline.css'

export function titleOf(refresh: Refresh, withYear = false): string {
  if (refresh.dataInterval) return interval(refresh.dataInterval, withYear)
  return refresh.origin.repository ?? 'A build'
}

export function Headline({ refresh, now }: { refresh: Refresh; now: number }) {
  const { origin, environment, state, startedAt, createdAt, dataInterval } = refresh
  const build = refresh.stages.find((stage) => stage.kind === 'build')
  const ms = elapsed(refresh, now)
  return (
    <div className="headline">
      <div className="headline-words">
        <h1>
          {dataInterval === null && `${wayIn(refresh)} `}
          {titleOf(refresh, true)}
        </h1>
        <p className="sentence">{sentenceOf(refresh)}</p>
        <p className="quiet">
          {environment && <Environment name={environment} />}
          {(origin.dagId ?? environment) !== origin.branch && <span className="code">{origin.dagId ?? origin.branch}</span>}
          {build?.commitSha && <span className="code">{build.commitSha.slice(0, 7)}</span>}
          <span>{moment(startedAt ?? createdAt)}</span>
        </p>
      </div>
      <div className={`outcome is-${state}`}>
        <Glyph state={state} size={26} />
        <span>
          <strong>{STATE_WORDS[state]}</strong>
          <span className="quiet">{ms === null ? 'not begun yet' : duration(ms)}</span>
        </span>
      </div>
    </div>
  )
}

/** Only pushes start builds by a trigger outside of DAG runs, as far as the page can tell. */
const wayIn = ({ stages }: Refresh): string =>
  stages.some((stage) => stage.kind === 'build' && stage.trigger !== null) ? 'Push to' : 'Build of'

export const Environment = ({ name, isShort = false }: { name: string; isShort?: boolean }) => (
  <span className={`tag tag-${name.split(' ')[0]}`} title={name}>
    {isShort && name.includes(' ') ? 'both' : name}
  </span>
)
