/** Why it stopped, right under the station where it did, and what answers users all the same. */
import type { Refresh } from '../api/platform.ts'
import { readFailure } from './failure.ts'
import { Glyph } from './glyph.tsx'
import type { OpenLog } from './line.tsx'
import type { Station } from './stations.ts'
import './failure-box.css'

interface Props {
  readonly refresh: Refresh
  readonly stations: readonly Station[]
  /** What serves in the environment of the refresh, in one sentence. */
  readonly stillServing: string
  readonly onOpen: OpenLog
}

export function FailureBox({ refresh, stations, stillServing, onOpen }: Props) {
  const at = stations.findLastIndex(({ state }) => state === 'failed')
  const failure = readFailure(refresh, stations[at])
  if (failure === null) return null
  const stage = stations[at]?.stops.find((stop) => stop.stage.state === 'failed')?.stage
  return (
    <div className="failure" style={{ '--position': at < 0 ? 0.5 : (at + 0.5) / stations.length }}>
      <Glyph state="failed" size={20} />
      <div className="failure-words">
        <p>
          <strong>{failure.heading}</strong> {failure.sentence}
        </p>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard. */}
        {failure.quote !== null && <pre tabIndex={0}>{failure.quote}</pre>}
        <p className="still">{stillServing}</p>
      </div>
      {stage && (
        <button type="button" className="button" onClick={() => onOpen(stage)}>
          Open its log
        </button>
      )}
    </div>
  )
}
