/** The builds and their steps, each bar where it was in the build's time. */
import type { BuildStage, BuildStep, Refresh } from '../api/platform.ts'
import { duration, elapsed } from '../format.ts'
import { Glyph, type GlyphState } from '../line/glyph.tsx'
import type { OpenLog } from '../line/line.tsx'
import { STATE_WORDS } from '../line/stations.ts'
import './builds.css'

const STEP_STATES: Readonly<Record<string, GlyphState>> = {
  QUEUED: 'waiting',
  PENDING: 'waiting',
  WORKING: 'running',
  SUCCESS: 'success',
  FAILURE: 'failed',
  TIMEOUT: 'failed',
  INTERNAL_ERROR: 'failed',
  CANCELLED: 'cancelled',
}

interface Props {
  readonly refresh: Refresh
  readonly now: number
  readonly onOpen: OpenLog
}

export function Builds({ refresh, now, onOpen }: Props) {
  const builds = refresh.stages.filter((stage) => stage.kind === 'build').filter(({ buildId }) => buildId !== null)
  return (
    <section className="card builds" aria-label="Builds">
      <div className="card-head">
        <h2>Builds</h2>
      </div>
      {builds.length === 0 && <p className="quiet">{refresh.endedAt === null ? 'No build has begun yet.' : 'No build was reached.'}</p>}
      <div className="build-list">
        {builds.map((build) => (
          <Build key={build.buildId} build={build} now={now} onOpen={onOpen} />
        ))}
      </div>
    </section>
  )
}

function Build({ build, now, onOpen }: { build: BuildStage; now: number; onOpen: OpenLog }) {
  const whole = elapsed(build, now) ?? 0
  const until = build.endedAt === null ? now : Date.parse(build.endedAt)
  return (
    <div className="build">
      <div className="build-head">
        <strong>{build.repository ?? 'build'}</strong>
        <span className="quiet code small">{[build.branch, build.commitSha?.slice(0, 7)].filter(Boolean).join(' · ')}</span>
        <button
          type="button"
          className="button button-plain"
          aria-label={`Open the log of ${build.repository}`}
          onClick={() => onOpen(build)}
        >
          Log
        </button>
      </div>
      <ol className="steps">
        {build.steps.map((step, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: steps never change their places.
          <Step key={index} step={step} origin={build.startedAt} whole={whole} now={until} onOpen={() => onOpen(build, index)} />
        ))}
      </ol>
    </div>
  )
}

interface StepProps {
  readonly step: BuildStep
  readonly origin: string | null
  readonly whole: number
  readonly now: number
  readonly onOpen: () => void
}

function Step({ step, origin, whole, now, onOpen }: StepProps) {
  const state = STEP_STATES[step.status] ?? 'waiting'
  const ms = elapsed(step, now)
  const begin = step.startedAt === null || origin === null ? 0 : Date.parse(step.startedAt) - Date.parse(origin)
  const share = (part: number) => (whole > 0 ? Math.min(1, Math.max(0, part / whole)) : 0)
  return (
    <li>
      <button
        type="button"
        className={`step is-${state}`}
        disabled={step.startedAt === null}
        aria-label={`Step ${step.id}: ${STATE_WORDS[state]}${ms === null ? '' : `, ${duration(ms)}`}. Open its log`}
        onClick={onOpen}
      >
        <Glyph state={state} size={14} />
        <span className="step-id">{step.id}</span>
        <span className="step-track" aria-hidden="true">
          {ms !== null && <span style={{ '--from': share(begin), '--share': share(ms) }} />}
        </span>
        <span className="step-time">{ms === null ? '' : duration(ms)}</span>
      </button>
    </li>
  )
}
