/** The lines of a log, more of them as it grows. */
import { useEffect, useRef, useState } from 'react'
import { asPlatformError, type LogSource, type PlatformError, usePlatform } from '../api/platform.ts'

/** A browser shows this many lines without effort; the newest matter most. */
const SHOWN_LINES = 4000

// biome-ignore lint/suspicious/noControlCharactersInRegex: the colours of terminals begin with one.
const TERMINAL_COLOURS = /\u001b\[[0-9;]*[A-Za-z]/g

export function useLog(source: LogSource | null, isGrowing: boolean) {
  const platform = usePlatform()
  const [text, setText] = useState('')
  const [problem, setProblem] = useState<PlatformError | null>(null)
  const growing = useRef(isGrowing)
  growing.current = isGrowing
  // All steps of a build have one log.
  const key = source === null ? null : JSON.stringify(source.kind === 'build' ? { ...source, step: null } : source)

  useEffect(() => {
    if (key === null) return
    const leaving = new AbortController()
    const onText = (all: string) => leaving.signal.aborted || setText(all)
    setProblem(null)
    platform
      .followLog(JSON.parse(key) as LogSource, { onText, isGrowing: () => growing.current, signal: leaving.signal })
      .catch((error) => leaving.signal.aborted || setProblem(asPlatformError(error)))
    return () => leaving.abort()
  }, [platform, key])

  const step = source?.kind === 'build' ? source.step : null
  const all = text === '' ? [] : text.replace(TERMINAL_COLOURS, '').trimEnd().split('\n')
  const lines = (step === null ? all : linesOfStep(all, step)).slice(-SHOWN_LINES)
  return { lines, problem, isGrowing }
}

/** What one step says, without its name before each line. */
function linesOfStep(lines: readonly string[], step: number): string[] {
  const mark = `Step #${step}`
  return lines
    .filter((line) => line.startsWith(`${mark}:`) || line.startsWith(`${mark} `))
    .map((line) => line.replace(/^Step #\d+(?: - "[^"]*")?: ?/, ''))
}
