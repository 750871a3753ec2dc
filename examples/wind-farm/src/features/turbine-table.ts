/** What the turbines measured, column by column, and how it is read from the open data's CSV. */
import { createReadStream } from 'node:fs'
import { COLUMNS, MEASUREMENTS, TARGET, TIME, TURBINE } from '../signals.ts'
import { UnusableData } from '../unusable-data.ts'
import { readDecimal } from './decimal.ts'

export interface TurbineTable {
  readonly rows: number
  /** The turbines that occur; `turbine` has the place in this list of each row's. */
  readonly turbines: readonly string[]
  readonly turbine: Uint16Array
  /** Milliseconds since 1970, UTC. */
  readonly time: Float64Array
  /** Of each measurement, one value per row; NaN where there is none. */
  readonly columns: ReadonlyMap<string, Float64Array>
}

const SEMICOLON = 59
const NEWLINE = 10
const RETURN = 13
const QUOTE = 34
const FIRST_CAPACITY = 1024
/** Problems of this many rows are told; a broken file has the same one in every row. */
const MOST_PROBLEMS = 5

/** What a column of the file is for; a number is the place in `MEASUREMENTS`. */
type Use = 'turbine' | 'time' | 'nothing' | number

/**
 * Reads a `;`-separated file with the open data's header, in any order of the columns; others are passed over. An empty field is a missing value.
 * Memory holds the numbers alone: the file goes by in chunks. Throws UnusableData for missing columns and for rows that cannot be read.
 *
 * `target` says whether the column `Ba_avg` must be there.
 */
export async function readTurbineCsv(path: string, { target, signal }: { target: boolean; signal?: AbortSignal }): Promise<TurbineTable> {
  const reader = new CsvReader(path, target)
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20, ...(signal ? { signal } : {}) })) reader.add(chunk as Buffer)
  return reader.end()
}

class CsvReader {
  readonly #path: string
  readonly #isTargetNeeded: boolean
  readonly #rows = new RowCollector()
  readonly #problems: string[] = []
  #uses: Use[] | null = null
  #rest: Buffer = Buffer.alloc(0)
  #line = 0

  constructor(path: string, isTargetNeeded: boolean) {
    this.#path = path
    this.#isTargetNeeded = isTargetNeeded
  }

  add(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    let begin = 0
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, begin)) {
      this.#addLine(bytes, begin, end)
      begin = end + 1
    }
    this.#rest = bytes.subarray(begin)
  }

  end(): TurbineTable {
    if (this.#rest.length > 0) this.#addLine(this.#rest, 0, this.#rest.length)
    if (this.#uses === null) throw new UnusableData(`${this.#path} is empty.`, ['Its first line must name the columns.'])
    UnusableData.throwIfAny(`${this.#path} cannot be read.`, this.#problems)
    return this.#rows.table()
  }

  #addLine(bytes: Buffer, begin: number, lineEnd: number): void {
    this.#line++
    const end = bytes[lineEnd - 1] === RETURN ? lineEnd - 1 : lineEnd
    if (end <= begin) return
    if (this.#uses === null) this.#uses = this.#readHeader(bytes.toString('utf8', begin, end))
    else this.#readRow(this.#uses, bytes, begin, end)
  }

  #readHeader(header: string): Use[] {
    const names = header
      .replace(/^\uFEFF/, '')
      .split(';')
      .map((name) => name.replace(/^"(.*)"$/, '$1'))
    const missing = COLUMNS.filter((name) => !names.includes(name) && (name !== TARGET || this.#isTargetNeeded) && !isDropped(name))
    const twice = names.filter((name, index) => names.indexOf(name) !== index && COLUMNS.includes(name))
    const problems = [
      ...(missing.length > 0 ? [`Its header has no column ${missing.join(', ')}.`] : []),
      ...(twice.length > 0 ? [`Its header names ${twice.join(', ')} twice.`] : []),
    ]
    UnusableData.throwIfAny(`${this.#path} is not a table of turbine data.`, problems)
    return names.map((name) => {
      if (name === TURBINE) return 'turbine'
      if (name === TIME) return 'time'
      const place = MEASUREMENTS.indexOf(name)
      return place < 0 || isDropped(name) ? 'nothing' : place
    })
  }

  #readRow(uses: readonly Use[], bytes: Buffer, begin: number, end: number): void {
    const row = this.#rows.next()
    let field = 0
    let from = begin
    for (let i = begin; i <= end; i++) {
      if (i < end && bytes[i] !== SEMICOLON) continue
      const use = uses[field++]
      if (typeof use === 'number') {
        if (i > from && !row.setMeasurement(use, readDecimal(bytes, from, i)))
          this.#complain(`Line ${this.#line}: ${MEASUREMENTS[use]} is ${JSON.stringify(bytes.toString('utf8', from, i))}, not a number.`)
      } else if (use === 'turbine') row.setTurbine(textOf(bytes, from, i))
      else if (use === 'time' && !row.setTime(textOf(bytes, from, i)))
        this.#complain(`Line ${this.#line}: ${TIME} is ${JSON.stringify(textOf(bytes, from, i))}, not an ISO time with an offset.`)
      from = i + 1
    }
    if (field !== uses.length) this.#complain(`Line ${this.#line} has ${field} fields, but the header has ${uses.length}.`)
  }

  #complain(problem: string): void {
    if (this.#problems.length < MOST_PROBLEMS) this.#problems.push(problem)
  }
}

/** Ba_min, Ba_max and Ba_std would tell the answer. */
export const isDropped = (name: string): boolean => name.startsWith('Ba_') && name !== TARGET

const textOf = (bytes: Buffer, from: number, to: number): string =>
  bytes[from] === QUOTE ? bytes.toString('utf8', from + 1, to - 1) : bytes.toString('utf8', from, to)

/** Collects rows whose number is not known before. */
export class RowCollector {
  #rows = -1
  #capacity = FIRST_CAPACITY
  #turbine = new Uint16Array(FIRST_CAPACITY)
  #time = new Float64Array(FIRST_CAPACITY)
  #columns = MEASUREMENTS.map((name) => (isDropped(name) ? null : new Float64Array(FIRST_CAPACITY).fill(Number.NaN)))
  readonly #places = new Map<string, number>()
  #lastTime = { text: '', value: Number.NaN }

  /** Begins a row in which everything is missing. */
  next(): this {
    this.#rows++
    if (this.#rows === this.#capacity) this.#grow()
    return this
  }

  setTurbine(name: string): void {
    let place = this.#places.get(name)
    if (place === undefined) {
      place = this.#places.size
      this.#places.set(name, place)
    }
    this.#turbine[this.#rows] = place
  }

  /** False when `text` is no instant. */
  setTime(text: string): boolean {
    // The rows of one moment stand together in many files.
    if (text !== this.#lastTime.text) this.#lastTime = { text, value: /(Z|[+-]\d\d:?\d\d)$/.test(text) ? Date.parse(text) : Number.NaN }
    this.#time[this.#rows] = this.#lastTime.value
    return !Number.isNaN(this.#lastTime.value)
  }

  /** `place` is that in `MEASUREMENTS`. False when `value` is no finite number. */
  setMeasurement(place: number, value: number): boolean {
    const column = this.#columns[place]
    if (column) column[this.#rows] = value
    return Number.isFinite(value)
  }

  table(): TurbineTable {
    const rows = this.#rows + 1
    return {
      rows,
      turbines: [...this.#places.keys()],
      turbine: this.#turbine.subarray(0, rows),
      time: this.#time.subarray(0, rows),
      columns: new Map(
        MEASUREMENTS.flatMap((name, place) => {
          const column = this.#columns[place]
          return column ? [[name, column.subarray(0, rows)] as const] : []
        }),
      ),
    }
  }

  #grow(): void {
    const larger = (column: Float64Array) => {
      const copy = new Float64Array(2 * this.#capacity)
      copy.set(column)
      copy.fill(Number.NaN, this.#capacity)
      return copy
    }
    this.#columns = this.#columns.map((column) => column && larger(column))
    this.#time = larger(this.#time)
    const turbine = new Uint16Array(2 * this.#capacity)
    turbine.set(this.#turbine)
    this.#turbine = turbine
    this.#capacity *= 2
  }
}
