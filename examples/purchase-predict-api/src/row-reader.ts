/** From a row as a client sends it to the numbers that the model takes: checked, encoded, in order. */

/** `transform_pipeline.json`, as training logged it beside the model. */
export interface TransformPipeline {
  readonly features: readonly string[]
  /** Stands for a missing category, and for one that training has never seen. */
  readonly unknown: string
  /** A category's code is its place in `classes`. */
  readonly encoders: readonly { readonly column: string; readonly classes: readonly string[] }[]
}

interface Bounds {
  readonly low: number
  readonly high: number
  readonly isWhole: boolean
}

const COUNT: Bounds = { low: 0, high: Number.MAX_SAFE_INTEGER, isWhole: true }
const AMOUNT: Bounds = { low: 0, high: Number.MAX_VALUE, isWhole: false }
const BOUNDS: Readonly<Record<string, Bounds>> = {
  price: AMOUNT,
  duration: AMOUNT,
  hour: { low: 0, high: 23, isWhole: true },
  minute: { low: 0, high: 59, isWhole: true },
  weekday: { low: 0, high: 6, isWhole: true },
}

/** Columns of the primary table that say nothing about what will happen: they may be sent and are not looked at. */
const IGNORED = ['user_id', 'user_session', 'purchased']

export type Row = Readonly<Record<string, unknown>>

/** Made once for a model; `read` is called for every row. */
export class RowReader {
  readonly width: number
  readonly #features: readonly ((value: unknown, complain: (problem: string) => void) => number)[]
  readonly #names: readonly string[]
  readonly #known: ReadonlySet<string>

  constructor({ features, encoders, unknown }: TransformPipeline) {
    this.width = features.length
    this.#names = features
    this.#known = new Set([...features, ...IGNORED])
    this.#features = features.map((name) => {
      const encoder = encoders.find(({ column }) => column === name)
      return encoder ? categoryReader(name, encoder.classes, unknown) : numberReader(name, BOUNDS[name] ?? COUNT)
    })
  }

  /** Fills `values`, and tells `complain` of every single thing that is wrong with `row`. */
  read(row: Row, values: Float64Array, complain: (problem: string) => void): void {
    for (let i = 0; i < this.#features.length; i++) {
      values[i] = this.#features[i]?.(row[this.#names[i] as string], complain) as number
    }
    for (const name in row) {
      if (!this.#known.has(name)) complain(`"${name}" is not a column of the model; it takes ${this.#names.join(', ')}`)
    }
  }
}

function numberReader(name: string, { low, high, isWhole }: Bounds) {
  const wanted = `${isWhole ? 'a whole number' : 'a number'} ${high > 100 ? `from ${low}` : `from ${low} to ${high}`}`
  return (value: unknown, complain: (problem: string) => void): number => {
    if (typeof value === 'number' && value >= low && value <= high && (!isWhole || Number.isInteger(value))) return value
    complain(value === undefined ? `${name} is missing; it must be ${wanted}` : `${name} must be ${wanted}, not ${show(value)}`)
    return Number.NaN
  }
}

function categoryReader(name: string, classes: readonly string[], unknown: string) {
  const codes = new Map(classes.map((category, code) => [category, code]))
  const unknownCode = codes.get(unknown) ?? -1
  return (value: unknown, complain: (problem: string) => void): number => {
    if (typeof value === 'string') return codes.get(value) ?? unknownCode
    if (value !== null && value !== undefined) complain(`${name} must be a text or null, not ${show(value)}`)
    return unknownCode
  }
}

function show(value: unknown): string {
  const text = JSON.stringify(value)
  return text.length > 40 ? `${text.slice(0, 40)}…` : text
}
