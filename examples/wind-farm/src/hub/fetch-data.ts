/** Brings measurements of all turbines into a file. */
import { writeWhole } from '../files.ts'
import { COLUMNS, TURBINES } from '../signals.ts'
import { UnusableData } from '../unusable-data.ts'
import type { EngieHub, HubRow } from './engie-hub.ts'

export interface FetchOptions {
  readonly hub: EngieHub
  readonly dataPath: string
  readonly start: Date
  /** Not in it any more. */
  readonly end: Date
  readonly turbines?: readonly string[]
  readonly signal?: AbortSignal
  readonly log?: (line: string) => void
}

/** What is asked for at once: about a thousand rows of each turbine. */
const PIECE_MS = 7 * 86_400_000

/** Writes the rows of `[start, end)` as the open data's CSV, a week in memory at a time. Answers how many; when there are none, nothing is written. */
export async function fetchData({ hub, dataPath, start, end, turbines = TURBINES, signal, log = () => {} }: FetchOptions): Promise<number> {
  if (!(start < end))
    throw new UnusableData('There is no time between the start and the end.', [`They are ${start.toISOString()} and ${end.toISOString()}.`])
  let rows = 0
  async function* parts(): AsyncGenerator<string> {
    yield `${COLUMNS.join(';')}\n`
    for (let from = start.getTime(); from < end.getTime(); from += PIECE_MS) {
      const piece = { start: new Date(from), end: new Date(Math.min(from + PIECE_MS, end.getTime())) }
      for (const turbine of turbines) {
        const found = await hub.rows({ turbine, ...piece, ...(signal ? { signal } : {}) })
        rows += found.length
        yield found.map(lineOf).join('')
      }
      log(`${rows} rows until ${piece.end.toISOString()}`)
    }
    if (rows === 0) throw new NothingNew()
  }
  try {
    await writeWhole(dataPath, parts())
  } catch (error) {
    if (!(error instanceof NothingNew)) throw error
  }
  return rows
}

class NothingNew extends Error {}

/** A field that would end itself, or its line, is nothing that a turbine measures. */
function lineOf(row: HubRow): string {
  const odd = row.find((field) => /[;"\r\n]/.test(field))
  if (odd !== undefined) throw new UnusableData(`The Engie hub answered ${JSON.stringify(odd)}, which no column can hold.`, [])
  return `${row.join(';')}\n`
}
