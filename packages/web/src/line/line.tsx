/** The line: a track from data interval to traffic whose segments fill as work proceeds. */
import type { Refresh, Stage } from '../api/platform.ts'
import { duration, elapsed } from '../format.ts'
import { Glyph } from './glyph.tsx'
import { STATE_WORDS, type Station, type Stop, stationsOf } from './stations.ts'
import './line.css'

interface Props {
  readonly refresh: Refresh
  readonly now: number
  readonly open: Stage | null
  readonly onOpen: (stage: Stage) => void
}

export function Line({ refresh, now, open, onOpen }: Props) {
  const stations = stationsOf(refresh)
  const failed = stations.findLastIndex(({ state }) => state === 'failed')
  return (
    <div className="line">
      <ol className="track" style={{ '--stations': stations.length }}>
        {stations.map((station) => (
          <StationItem key={station.key} station={station} now={now} open={open} onOpen={onOpen} />
        ))}
      </ol>
      {refresh.reason !== null && (
        <Failure
          reason={refresh.reason}
          station={stations[failed]}
          position={failed < 0 ? 0.5 : (failed + 0.5) / stations.length}
          onOpen={onOpen}
        />
      )}
    </div>
  )
}

function StationItem({ station, now, open, onOpen }: { station: Station } & Pick<Props, 'now' | 'open' | 'onOpen'>) {
  const { key, title, state, stops, progress, isPassed } = station
  return (
    <li className={`station is-${state} ${isPassed ? 'is-passed' : ''}`} data-station={key}>
      <span className="segment" aria-hidden="true">
        <span className="fill" style={{ '--progress': progress }} />
      </span>
      <span className="node">
        <Glyph state={state} size={state === 'waiting' || state === 'skipped' ? 22 : 26} />
      </span>
      {stops.map((stop, index) => (
        <StopButton
          // biome-ignore lint/suspicious/noArrayIndexKey: stops never change their places.
          key={index}
          title={index === 0 ? title : null}
          stop={stop}
          name={title}
          now={now}
          isOpen={open === stop.stage}
          onOpen={onOpen}
        />
      ))}
    </li>
  )
}

interface StopProps {
  readonly title: string | null
  readonly name: string
  readonly stop: Stop
  readonly now: number
  readonly isOpen: boolean
  readonly onOpen: (stage: Stage) => void
}

function StopButton({ title, name, stop: { stage, headline, remark, log }, now, isOpen, onOpen }: StopProps) {
  const ms = stage.kind === 'interval' || stage.kind === 'image' || stage.kind === 'traffic' ? null : elapsed(stage, now)
  const isOpenable = stage.state !== 'waiting' && stage.state !== 'skipped'
  const spoken = [`${name}: ${STATE_WORDS[stage.state]}`, headline, remark, ms === null ? '' : duration(ms)].filter(Boolean).join(', ')
  return (
    <button
      type="button"
      className="stop"
      disabled={!isOpenable}
      aria-expanded={isOpen}
      aria-label={isOpenable ? `${spoken}. Open its ${log === null ? 'facts' : 'log'}` : spoken}
      onClick={() => onOpen(stage)}
    >
      {title !== null && <span className="stop-title">{title}</span>}
      <span className="stop-headline">{headline || (stage.state === 'waiting' ? '' : '\u2013')}</span>
      <span className="stop-remark" title={remark}>
        {remark}
      </span>
      <span className="stop-time">{ms === null ? '' : duration(ms)}</span>
    </button>
  )
}

interface FailureProps {
  readonly reason: string
  readonly station: Station | undefined
  readonly position: number
  readonly onOpen: (stage: Stage) => void
}

/** Why it stopped, right under the station where it did. */
function Failure({ reason, station, position, onOpen }: FailureProps) {
  const stage = station?.stops.find((stop) => stop.stage.state === 'failed')?.stage
  return (
    <div className="failure" style={{ '--position': position }}>
      <Glyph state="failed" size={20} />
      <p>
        <strong>{station ? `${station.title} failed. ` : 'Failed. '}</strong>
        {reason}
      </p>
      {stage && (
        <button type="button" className="button" onClick={() => onOpen(stage)}>
          Open its log
        </button>
      )}
    </div>
  )
}
