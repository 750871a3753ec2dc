/** A part of the line up close: its facts, and its log as it grows. */
import { useEffect, useRef, useState } from 'react'
import type { LogSource, Refresh, Stage } from '../api/platform.ts'
import { Glyph } from '../line/glyph.tsx'
import { logOf, STATE_WORDS } from '../line/stations.ts'
import { Problem } from '../problem.tsx'
import { factsOf, nameOf } from './stage-facts.ts'
import { useLog } from './use-log.ts'
import './log.css'

interface Props {
  readonly refresh: Refresh
  readonly stage: Stage
  /** Of a build: the one step to read. */
  readonly step: number | undefined
  readonly onClose: () => void
}

export function LogDrawer({ refresh, stage, step, onClose }: Props) {
  const own = logOf(refresh, stage)
  const narrow = own?.kind === 'build' && step !== undefined ? { ...own, step } : own
  const [isWhole, setWhole] = useState(false)
  const source: LogSource | null = isWhole && narrow?.kind === 'build' ? { ...narrow, step: null } : narrow
  const shownStep = narrow?.kind === 'build' && narrow.step !== null ? stepName(refresh, narrow.buildId, narrow.step) : null
  const close = useRef<HTMLButtonElement>(null)
  useEffect(() => {
    const before = document.activeElement
    close.current?.focus()
    return () => (before instanceof HTMLElement ? before.focus() : undefined)
  }, [])
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => event.key === 'Escape' && onClose()
    addEventListener('keydown', onKey)
    return () => removeEventListener('keydown', onKey)
  }, [onClose])

  return (
    <aside className="drawer" role="dialog" aria-labelledby="drawer-title">
      <header>
        <Glyph state={stage.state} size={22} />
        <h2 id="drawer-title">{step !== undefined && shownStep !== null ? `${nameOf(stage)}, step ${shownStep}` : nameOf(stage)}</h2>
        <span className="quiet">{STATE_WORDS[stage.state]}</span>
        <span className="spring" />
        {shownStep !== null && (
          <button type="button" className="button button-plain" aria-pressed={isWhole} onClick={() => setWhole(!isWhole)}>
            {isWhole ? `Only step ${shownStep}` : 'Whole build log'}
          </button>
        )}
        <button ref={close} type="button" className="button button-plain" onClick={onClose}>
          Close
        </button>
      </header>
      {stage.detail && <p className={stage.state === 'failed' ? 'problem' : 'quiet'}>{stage.detail.split('\n')[0]}</p>}
      <dl className="facts">
        {factsOf(stage).map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <Log source={source} isRunning={stage.state === 'running'} />
    </aside>
  )
}

function stepName({ stages }: Refresh, buildId: string, step: number): string {
  const build = stages.find((stage) => stage.kind === 'build' && stage.buildId === buildId)
  return (build?.kind === 'build' && build.steps[step]?.id) || `#${step}`
}

/** A test that passes may well speak of failures. */
const isBad = (line: string): boolean =>
  /\b(error|failed|failure|fatal|cannot)\b|\u2716|^not ok/i.test(line) && !/\u2714|\bfail(ed)? 0\b/.test(line)

function Log({ source, isRunning }: { source: LogSource | null; isRunning: boolean }) {
  const { lines, problem, isGrowing } = useLog(source, isRunning)
  const frame = useRef<HTMLPreElement>(null)
  const isAtEnd = useRef(true)
  // biome-ignore lint/correctness/useExhaustiveDependencies: to be at the end after each new line is the point.
  useEffect(() => {
    if (isAtEnd.current) frame.current?.scrollTo({ top: frame.current.scrollHeight })
  }, [lines])
  if (source === null) return null
  return (
    <>
      {problem && <Problem error={problem} />}
      <pre
        ref={frame}
        className="log"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard.
        tabIndex={0}
        role="log"
        aria-label="Log"
        onScroll={({ currentTarget: { scrollTop, clientHeight, scrollHeight } }) => {
          isAtEnd.current = scrollTop + clientHeight > scrollHeight - 24
        }}
      >
        {lines.map((line, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a log only grows at its end.
          <span key={index} className={isBad(line) ? 'log-line is-bad' : 'log-line'}>
            {line}
            {'\n'}
          </span>
        ))}
        {lines.length === 0 && !problem && (
          <span className="quiet">{isGrowing ? 'Nothing has been logged yet.' : 'The log is empty.'}</span>
        )}
      </pre>
    </>
  )
}
