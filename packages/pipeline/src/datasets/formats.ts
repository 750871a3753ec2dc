/** The formats of files that a catalog may name. */
import { formatCsv, parseCsv } from '../csv.ts'
import { PipelineError } from '../pipeline-error.ts'
import { Table } from '../table.ts'
import type { Format } from './file.ts'

/** What a catalog entry may say about how its file is read and written. */
export interface FormatOptions {
  readonly separator?: string
  readonly types?: Readonly<Record<string, 'number' | 'text'>>
}

/** The type names of catalog entries that are files, and how each is made. */
export const FORMATS: Readonly<Record<string, (options: FormatOptions) => Format>> = {
  'csv.Table': (options) => ({
    type: 'csv.Table',
    decode: (bytes, source) => parseCsv(bytes.toString('utf8'), { ...options, source }),
    encode: (value) => formatCsv(expect('csv.Table', 'a Table', value instanceof Table, value), options),
  }),
  'json.JSON': () => ({
    type: 'json.JSON',
    decode: parseJson,
    encode: (value) => {
      const text = JSON.stringify(value, null, 2)
      return `${expect('json.JSON', 'a value that JSON can hold', text !== undefined, text)}\n`
    },
  }),
  'text.Text': () => ({
    type: 'text.Text',
    decode: (bytes) => bytes.toString('utf8'),
    encode: (value) => expect<string>('text.Text', 'a string', typeof value === 'string', value),
  }),
  'binary.Binary': () => ({
    type: 'binary.Binary',
    decode: (bytes) => new Uint8Array(bytes),
    encode: (value) => expect<Uint8Array>('binary.Binary', 'a Uint8Array', value instanceof Uint8Array, value),
  }),
}

function parseJson(bytes: Buffer, source: string): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch (error) {
    throw new PipelineError(`${source} is not JSON: ${(error as Error).message}`, { cause: error })
  }
}

function expect<T>(type: string, wanted: string, isRight: boolean, value: unknown): T {
  if (!isRight) throw new PipelineError(`a dataset of type ${type} takes ${wanted}, not ${kindOf(value)}`)
  return value as T
}

const kindOf = (value: unknown): string =>
  value === null || value === undefined ? String(value) : typeof value === 'object' ? value.constructor.name : `a ${typeof value}`
