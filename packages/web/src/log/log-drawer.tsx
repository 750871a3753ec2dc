/** A part of the line up close: its facts, and its log as it grows. */
import { useEffect, useRef } from 'react'
import type { Refresh, Stage } from '../api/platform.ts'
import { Glyph } from '../line/glyph.tsx'
import { logOf, STATE_WORDS } from '../line/stations.ts'
import { Problem } from '../problem.tsx'
import { factsOf, nameOf } from './stage-facts.ts'
import { useLog } from './use-log.ts'
import './log.css'

interface Props {
  readonly refresh: Refresh
  readonly stage: Stage
  readonly onClose: () => void
}

export function LogDrawer({ refresh, stage, onClose }: Props) {
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
        <h2 id="drawer-title">{nameOf(stage)}</h2>
        <span className="quiet">{STATE_WORDS[stage.state]}</span>
        <button ref={close} type="button" className="button button-plain" onClick={onClose}>
          Close
        </button>
      </header>
      {stage.detail && <p className={stage.state === 'failed' ? 'problem' : 'quiet'}>{stage.detail}</p>}
      <dl className="facts">
        {factsOf(stage).map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <Log refresh={refresh} stage={stage} />
    </aside>
  )
}

function Log({ refresh, stage }: Pick<Props, 'refresh' | 'stage'>) {
  const source = logOf(refresh, stage)
  const { lines, problem, isGrowing } = useLog(source, stage.state === 'running')
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
          <span key={index} className={/\b(error|failed|failure|fatal)\b/i.test(line) ? 'log-line is-bad' : 'log-line'}>
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
