/** What this refresh is, how it stands, and since when. */
import type { Refresh } from '../api/platform.ts'
import { duration, elapsed, interval, moment } from '../format.ts'
import { Glyph } from '../line/glyph.tsx'
import { STATE_WORDS } from '../line/stations.ts'
import './headline.css'

export const titleOf = (refresh: Refresh, withYear = false): string =>
  refresh.dataInterval ? interval(refresh.dataInterval, withYear) : `Push to ${refresh.origin.branch ?? 'a branch'}`

export function Headline({ refresh, now }: { refresh: Refresh; now: number }) {
  const { origin, environment, state, startedAt, createdAt } = refresh
  const build = refresh.stages.find((stage) => stage.kind === 'build')
  const ms = elapsed(refresh, now)
  return (
    <div className="headline">
      <div>
        <h1>{titleOf(refresh, true)}</h1>
        <p className="quiet">
          {environment && <Environment name={environment} />}
          <span className="code">{origin.dagId ?? origin.repository ?? 'a build'}</span>
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

export const Environment = ({ name }: { name: string }) => <span className={`tag tag-${name.split(' ')[0]}`}>{name}</span>
