/** The precision-recall curve as a picture (SVG), with the curve of "always buy" beside it. */
import { type Booster, metrics } from '@daggerboard/boost'
import type { Table } from '@daggerboard/pipeline'
import { modelInput } from './model-input.ts'

const SIZE = { width: 640, height: 480, left: 64, right: 24, top: 48, bottom: 56 }
const TICKS = [0, 0.2, 0.4, 0.6, 0.8, 1]
const MOST_POINTS = 400

const x = (recall: number) => (SIZE.left + recall * (SIZE.width - SIZE.left - SIZE.right)).toFixed(1)
const y = (precision: number) => (SIZE.height - SIZE.bottom - precision * (SIZE.height - SIZE.top - SIZE.bottom)).toFixed(1)

export function drawPrCurve(model: Booster, testSet: Table): string {
  const { columns, label } = modelInput(testSet)
  const probabilities = model.predict(columns)
  const curve = metrics.precisionRecallCurve(label, probabilities)
  const every = Math.ceil(curve.length / MOST_POINTS)
  const points = curve
    .filter((_, i) => i % every === 0 || i === curve.length - 1)
    .map(({ precision, recall }) => `${x(recall)},${y(precision)}`)
  const base = label.reduce((sum, bought) => sum + bought, 0) / label.length
  const average = metrics.averagePrecision(label, probabilities).toFixed(4)
  const grid = TICKS.map(
    (t) => `<path d="M${x(t)} ${y(0)}V${y(1)}M${x(0)} ${y(t)}H${x(1)}" stroke="#8884" fill="none"/>
  <text x="${x(t)}" y="${Number(y(0)) + 20}" text-anchor="middle">${t}</text>
  <text x="${Number(x(0)) - 10}" y="${Number(y(t)) + 4}" text-anchor="end">${t}</text>`,
  ).join('\n  ')
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${SIZE.width} ${SIZE.height}" font-family="system-ui, sans-serif" font-size="13" fill="#888">
  <title>Precision and recall on the test set, average precision ${average}</title>
  ${grid}
  <text x="${x(0.5)}" y="${SIZE.height - 14}" text-anchor="middle">recall</text>
  <text transform="translate(18 ${y(0.5)}) rotate(-90)" text-anchor="middle">precision</text>
  <text x="${SIZE.left}" y="26" font-size="15">average precision ${average}, always buy ${base.toFixed(4)}</text>
  <path d="M${x(0)} ${y(base)}H${x(1)}" stroke="#c77" stroke-dasharray="5 4" fill="none"/>
  <polyline points="${points.join(' ')}" stroke="#2a8fbd" stroke-width="2" fill="none"/>
</svg>
`
}
