/** Trial scores as points over their number, drawn to the room there is. */
import { useEffect, useRef, useState } from 'react'
import type { TrainingStage } from '../api/platform.ts'
import { score } from '../format.ts'
import { scaleOf } from './trial-scale.ts'
import './trial-chart.css'

const LEAST_HEIGHT = 190
const MARGIN = { top: 12, right: 14, bottom: 24, left: 46 }

export function TrialChart({ training: { series, trials: counted, maxEvals, best, state } }: { training: TrainingStage }) {
  const frame = useRef<HTMLDivElement>(null)
  const { width, height } = useSize(frame)
  // Steps may begin with 0 or 1; people count trials from 1. The oldest of very many may be missing.
  const missing = counted - series.length
  const trials = series.toSorted((a, b) => a.step - b.step).map(({ value }, index) => ({ step: missing + index + 1, value }))
  const first = trials[0]?.step ?? 1
  const last = Math.max(maxEvals ?? 0, counted, first + 1)
  const { low, high, ticks } = scaleOf(trials.map(({ value }) => value))
  const x = (step: number) => MARGIN.left + ((step - first) / (last - first)) * (width - MARGIN.left - MARGIN.right)
  const y = (value: number) => height - MARGIN.bottom - ((value - low) / (high - low)) * (height - MARGIN.top - MARGIN.bottom)
  const top = trials.find(({ value }) => value === best)

  return (
    <div ref={frame} className={`trial-chart is-${state}`}>
      <svg width={width} height={height} role="img" aria-label={describe(trials.length, best, top?.step)}>
        {ticks.map((tick) => (
          <g key={tick}>
            <line className="grid" x1={MARGIN.left} x2={width - MARGIN.right} y1={y(tick)} y2={y(tick)} />
            <text className="tick" x={MARGIN.left - 8} y={y(tick)} dy="0.32em" textAnchor="end">
              {tick.toFixed(ticks.length > 1 && (ticks[1] ?? 0) - (ticks[0] ?? 0) < 0.0099 ? 3 : 2)}
            </text>
          </g>
        ))}
        <text className="tick" x={MARGIN.left} y={height - 6}>
          trial {first}
        </text>
        <text className="tick" x={width - MARGIN.right} y={height - 6} textAnchor="end">
          {last}
        </text>
        <path className="best-line" d={bestSoFar(trials, x, y)} />
        {trials.map((trial) => (
          <circle
            key={trial.step}
            className={trial === top ? 'trial is-best' : 'trial'}
            cx={x(trial.step)}
            cy={y(trial.value)}
            r={trial === top ? 5 : 3}
          >
            <title>{`Trial ${trial.step}: ${score(trial.value)}`}</title>
          </circle>
        ))}
      </svg>
    </div>
  )
}

type Point = { step: number; value: number }

/** A staircase: level until a better trial comes. */
function bestSoFar(trials: readonly Point[], x: (step: number) => number, y: (value: number) => number): string {
  let best = Number.NEGATIVE_INFINITY
  return trials
    .map(({ step, value }, index) => {
      best = Math.max(best, value)
      return index === 0 ? `M${x(step)} ${y(best)}` : `H${x(step)}V${y(best)}`
    })
    .join('')
}

const describe = (count: number, best: number | null, step: number | undefined): string =>
  best === null ? 'No trial has been scored yet.' : `${count} trials; the best, number ${step}, scored ${score(best)}.`

function useSize(frame: React.RefObject<HTMLDivElement | null>): { width: number; height: number } {
  const [size, setSize] = useState({ width: 480, height: LEAST_HEIGHT })
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => {
      const { width = 480, height = LEAST_HEIGHT } = entry?.contentRect ?? {}
      setSize({ width: Math.max(200, Math.round(width)), height: Math.max(LEAST_HEIGHT, Math.floor(height)) })
    })
    if (frame.current) observer.observe(frame.current)
    return () => observer.disconnect()
  }, [frame])
  return size
}
