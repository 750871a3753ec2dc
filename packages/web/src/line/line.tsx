/** The line: a track from data interval to traffic whose segments fill as work proceeds. */
import type { Refresh, Stage } from '../api/platform.ts'
import { duration, elapsed } from '../format.ts'
import { FailureBox } from './failure-box.tsx'
import { Glyph } from './glyph.tsx'
import { lanesOf, STATE_WORDS, type Station, type Stop, stationsOf } from './stations.ts'
import './line.css'

/** Opens the log of a stage; of a build's, that of one step. */
export type OpenLog = (stage: Stage, step?: number) => void

interface Props {
  readonly refresh: Refresh
  readonly now: number
  readonly open: Stage | null
  readonly stillServing: string
  readonly onOpen: OpenLog
}

export function Line({ refresh, now, open, stillServing, onOpen }: Props) {
  const stations = stationsOf(refresh)
  return (
    <div className="line">
      <ol className="track" style={{ '--stations': stations.length }}>
        {stations.map((station) => (
          <StationItem key={station.key} station={station} lanes={lanesOf(refresh)} now={now} open={open} onOpen={onOpen} />
        ))}
      </ol>
      <FailureBox refresh={refresh} stations={stations} stillServing={stillServing} onOpen={onOpen} />
    </div>
  )
}

function StationItem({
  station,
  lanes,
  now,
  open,
  onOpen,
}: { station: Station; lanes: readonly string[] } & Pick<Props, 'now' | 'open' | 'onOpen'>) {
  const { key, title, state, stops, progress, isPassed } = station
  return (
    <li className={`station is-${state} ${isPassed ? 'is-passed' : ''}`} data-station={key}>
      <span className="segment" aria-hidden="true">
        <span className="fill" style={{ '--progress': progress }} />
      </span>
      <span className="node">
        <Glyph state={state} size={state === 'waiting' || state === 'skipped' ? 22 : 26} />
      </span>
      {inLanes(stops, lanes).map((stop, index) =>
        stop === null ? (
          <AbsentStop key={lanes[index]} title={index === 0 ? title : null} lane={lanes[index] ?? ''} />
        ) : (
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
        ),
      )}
    </li>
  )
}

/** Takes the room of a stop, so that the other lane stays in its row. */
function AbsentStop({ title, lane }: { title: string | null; lane: string }) {
  return (
    <span className="stop">
      {title !== null && <span className="stop-title">{title}</span>}
      <span className="stop-lane">{lane}</span>
      <span className="stop-headline" />
      <span className="stop-remark">–</span>
      <span className="stop-time" />
    </span>
  )
}

/** One place for each lane, so that what belongs together stands in one row; null where a lane has not come. */
function inLanes(stops: readonly Stop[], lanes: readonly string[]): readonly (Stop | null)[] {
  if (!stops.some(({ lane }) => lane !== null)) return stops
  return lanes.map((name) => stops.find(({ lane }) => lane === name) ?? null)
}

/** They happen at once; how long they took says nothing. */
const INSTANT = new Set<Stage['kind']>(['interval', 'model', 'image', 'traffic'])

interface StopProps {
  readonly title: string | null
  readonly name: string
  readonly stop: Stop
  readonly now: number
  readonly isOpen: boolean
  readonly onOpen: OpenLog
}

function StopButton({ title, name, stop: { stage, headline, remark, log, lane }, now, isOpen, onOpen }: StopProps) {
  const ms = INSTANT.has(stage.kind) ? null : elapsed(stage, now)
  const isOpenable = stage.state !== 'waiting' && stage.state !== 'skipped'
  const spoken = [
    `${name}${lane === null ? '' : ` in ${lane}`}: ${STATE_WORDS[stage.state]}`,
    headline,
    remark,
    ms === null ? '' : duration(ms),
  ]
    .filter(Boolean)
    .join(', ')
  return (
    <button
      type="button"
      className={`stop ${lane === null ? '' : 'has-lane'} ${stage.state === 'failed' ? 'is-bad' : ''}`}
      disabled={!isOpenable}
      aria-expanded={isOpen}
      aria-label={isOpenable ? `${spoken}. Open its ${log === null ? 'facts' : 'log'}` : spoken}
      onClick={() => onOpen(stage)}
    >
      {title !== null && <span className="stop-title">{title}</span>}
      {lane !== null && <span className="stop-lane">{lane}</span>}
      <span className="stop-headline">{headline}</span>
      <span className="stop-remark" title={remark}>
        {remark}
      </span>
      <span className="stop-time">{ms === null ? '' : duration(ms)}</span>
    </button>
  )
}
