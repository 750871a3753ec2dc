/**
 * Writes a file of invented shop events, or of events replayed from transform rows:
 *
 *     node examples/shop-events/generate.ts --events 1000000 --from 2026-01-05 --weeks 4 --file events.csv.gz [--seed 1]
 *     node examples/shop-events/generate.ts --rows purchase_rows.csv.gz --from 2026-01-05 --file events.csv.gz
 */
import { parseArgs } from 'node:util'
import { generateEvents } from './generator.ts'
import { replayRows } from './replay.ts'

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '1000000' },
    from: { type: 'string' },
    weeks: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
    rows: { type: 'string' },
    file: { type: 'string' },
  },
})

try {
  if (!values.from || !values.file)
    throw new RangeError('Say where the events begin and where they go: --from 2026-01-05 --file events.csv.gz')
  const from = new Date(`${values.from}T00:00:00Z`)
  const { file, rows } = values
  const result = rows
    ? await replayRows({ rows, week: from, file })
    : await generateEvents({ file, from, events: Number(values.events), weeks: Number(values.weeks), seed: Number(values.seed) })
  console.log(JSON.stringify({ file, ...result }))
} catch (error) {
  if (!(error instanceof RangeError)) throw error
  console.error(error.message)
  process.exitCode = 2
}
