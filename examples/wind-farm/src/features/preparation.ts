/** From measurements to the model's 135 inputs. What is learned from data, means and medians, comes from training rows alone and stays with the model. */
import { MEASUREMENTS, PARTS, TARGET } from '../signals.ts'
import { isDropped, type TurbineTable } from './turbine-table.ts'

/** What the filling of gaps has learned from the training rows. */
export interface Preparation {
  /** What stands in for a missing value of these columns; 0 does in all others, and in those of which no training row had a value. */
  readonly constants: Readonly<Record<string, number>>
}

export interface Features {
  readonly names: readonly string[]
  /** One per name, ordered by time. No value is missing. */
  readonly columns: readonly Float64Array[]
  /** `Ba_avg`, when it was asked for. */
  readonly label: Float64Array | null
  /** Milliseconds since 1970, ascending. */
  readonly time: Float64Array
}

const INPUTS: readonly string[] = MEASUREMENTS.filter((name) => name !== TARGET && !isDropped(name))

/** The 135 inputs of the model, in this order. */
export const FEATURE_NAMES: readonly string[] = [...INPUTS, 'year', 'month', 'season']

const partsOf = (...signals: string[]): string[] => signals.flatMap((signal) => PARTS.map((part) => `${signal}_${part}`))
const FILLED_FORWARD = partsOf('Q')
const FILLED_BY_MEAN = partsOf('Va1')
const FILLED_BY_MEDIAN = partsOf('Va2')
const FILLED_BY_ROLLING_MEAN = partsOf('Rs', 'Rm')
/** Rows of one turbine, the row itself among them, whose mean fills a gap. */
const ROLLING_ROWS = 30

/** December to February is 1, September to November 4. `month` is 1 … 12. */
export const seasonOf = (month: number): number => Math.floor(((month % 12) + 3) / 3)

/** The rows in the order of their times; rows of one time keep theirs. Those without a label are left out when it is wanted. */
export function rowsInTime(table: TurbineTable, label: 'wanted' | 'absent'): Int32Array {
  const target = table.columns.get(TARGET) as Float64Array
  const rows = Int32Array.from({ length: table.rows }, (_, row) => row)
  const kept = label === 'wanted' ? rows.filter((row) => !Number.isNaN(target[row] as number)) : rows
  return kept.sort((a, b) => (table.time[a] as number) - (table.time[b] as number) || a - b)
}

/** Learns from the rows `rows` of a table. */
export function fitPreparation(table: TurbineTable, rows: Int32Array): Preparation {
  const constants: Record<string, number> = {}
  const present = (name: string): Float64Array => {
    const column = table.columns.get(name) as Float64Array
    return valuesAt(column, rows).filter((value) => !Number.isNaN(value))
  }
  for (const name of FILLED_BY_MEAN) constants[name] = meanOf(present(name))
  for (const name of FILLED_BY_MEDIAN) constants[name] = medianOf(present(name))
  return { constants: Object.fromEntries(Object.entries(constants).filter(([, value]) => !Number.isNaN(value))) }
}

/** The inputs of the rows `rows`, which must be ordered by time. Gaps are filled from earlier rows of the same turbine only. */
export function prepareFeatures(table: TurbineTable, rows: Int32Array, preparation: Preparation, label: 'wanted' | 'absent'): Features {
  const turbine = Uint16Array.from(rows, (row) => table.turbine[row] as number)
  const columns = INPUTS.map((name) => {
    const source = table.columns.get(name) as Float64Array
    const column = valuesAt(source, rows)
    if (FILLED_FORWARD.includes(name)) fillForward(column, turbine, table.turbines.length)
    else if (FILLED_BY_ROLLING_MEAN.includes(name)) fillByRollingMean(column, turbine, table.turbines.length)
    fillByConstant(column, preparation.constants[name] ?? 0)
    return column
  })
  const time = valuesAt(table.time, rows)
  const target = table.columns.get(TARGET) as Float64Array
  return {
    names: FEATURE_NAMES,
    columns: [...columns, ...calendarOf(time)],
    label: label === 'wanted' ? valuesAt(target, rows) : null,
    time,
  }
}

/** A gap becomes the last value of the same turbine before it; it stays where there is none. */
export function fillForward(column: Float64Array, turbine: Uint16Array, turbines: number): void {
  const last = new Float64Array(turbines).fill(Number.NaN)
  for (let row = 0; row < column.length; row++) {
    const own = turbine[row] as number
    const value = column[row] as number
    if (Number.isNaN(value)) column[row] = last[own] as number
    else last[own] = value
  }
}

/** A gap becomes the mean of what the same turbine measured in the `window` rows that end with it; it stays where that is nothing. */
export function fillByRollingMean(column: Float64Array, turbine: Uint16Array, turbines: number, window = ROLLING_ROWS): void {
  // Measured values alone take part, never filled ones.
  const recent = new Float64Array(turbines * window).fill(Number.NaN)
  const seen = new Uint32Array(turbines)
  for (let row = 0; row < column.length; row++) {
    const own = turbine[row] as number
    const begin = own * window
    const value = column[row] as number
    recent[begin + ((seen[own] as number) % window)] = value
    seen[own] = (seen[own] as number) + 1
    if (Number.isNaN(value)) column[row] = meanOf(recent.subarray(begin, begin + window))
  }
}

function valuesAt(column: Float64Array, rows: Int32Array): Float64Array {
  const values = new Float64Array(rows.length)
  for (let i = 0; i < rows.length; i++) values[i] = column[rows[i] as number] as number
  return values
}

function fillByConstant(column: Float64Array, constant: number): void {
  for (let row = 0; row < column.length; row++) if (Number.isNaN(column[row] as number)) column[row] = constant
}

function calendarOf(time: Float64Array): [Float64Array, Float64Array, Float64Array] {
  const year = new Float64Array(time.length)
  const month = new Float64Array(time.length)
  const season = new Float64Array(time.length)
  for (let row = 0; row < time.length; row++) {
    const date = new Date(time[row] as number)
    year[row] = date.getUTCFullYear()
    month[row] = date.getUTCMonth() + 1
    season[row] = seasonOf(month[row] as number)
  }
  return [year, month, season]
}

/** Of the values that are not NaN; NaN when there are none. */
function meanOf(values: Float64Array): number {
  let sum = 0
  let count = 0
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number
    if (Number.isNaN(value)) continue
    sum += value
    count++
  }
  return sum / count
}

function medianOf(values: Float64Array): number {
  const sorted = values.sort()
  const middle = sorted.length >> 1
  if (sorted.length % 2 === 1) return sorted[middle] as number
  return ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2
}
