/** The forms in which rows may be sent: an object, a list of objects, or the table by columns that pandas' `to_json` writes. */
import type { Row } from './row-reader.ts'

export interface RequestBody {
  /** `columns` is answered with a plain list of 0 and 1, as the clients of the first API expect. */
  readonly form: 'rows' | 'columns'
  readonly rows: readonly Row[]
  /** How messages call row `index`; empty for a single object. */
  label(index: number): string
}

/** Thrown for a body that is not in any of the forms; its message is for the client. */
export class UnreadableBody extends Error {
  override readonly name = 'UnreadableBody'
}

const FORMS = 'Send an object with the columns of one row, a list of such objects, or a table {"column": {"row": value}}.'

/** A body that is a JSON text within a JSON text (`requests.post(json=df.to_json())`) is read as what is inside. */
export function parseBody(text: string): RequestBody {
  const inner = parseJson(text)
  if (typeof inner !== 'string') return bodyOf(inner, text)
  return bodyOf(parseJson(inner), inner)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new UnreadableBody(`The body is not JSON: ${(error as Error).message}. ${FORMS}`)
  }
}

function bodyOf(value: unknown, text: string): RequestBody {
  if (Array.isArray(value)) {
    const odd = value.findIndex((row) => !isObject(row))
    if (odd >= 0) throw new UnreadableBody(`Item ${odd} of the list is not an object. ${FORMS}`)
    return { form: 'rows', rows: value, label: (index) => `row ${index}: ` }
  }
  if (!isObject(value)) throw new UnreadableBody(`The body is neither an object nor a list. ${FORMS}`)
  return Object.values(value).some(isObject) ? columnTable(value, text) : { form: 'rows', rows: [value], label: () => '' }
}

function columnTable(table: Row, text: string): RequestBody {
  const columns = Object.entries(table)
  const odd = columns.find(([, column]) => !isObject(column))
  if (odd) throw new UnreadableBody(`Column "${odd[0]}" of the table is not an object of values by row. ${FORMS}`)
  const keys = rowKeysInOrder(text) ?? Object.keys(columns[0]?.[1] as Row)
  const rows = keys.map((key) => Object.fromEntries(columns.map(([name, column]) => [name, (column as Row)[key]])))
  const uneven = columns.find(([, column]) => Object.keys(column as Row).length !== keys.length)
  if (uneven) throw new UnreadableBody(`Column "${uneven[0]}" of the table has other rows than "${columns[0]?.[0]}".`)
  return { form: 'columns', rows, label: (index) => `row "${keys[index]}": ` }
}

/**
 * The row keys of the first column as they stand in the text. JavaScript would put whole numbers in rising order, but the
 * answers must come in the order of the client's rows, and a table that was sampled or sorted has its index in disorder.
 */
function rowKeysInOrder(text: string): string[] | undefined {
  const opening = /^\s*\{\s*"(?:[^"\\]|\\.)*"\s*:\s*\{/.exec(text)
  if (!opening) return undefined
  const entry = /\s*("(?:[^"\\]|\\.)*")\s*:\s*(?:"(?:[^"\\]|\\.)*"|[^",{}[\]\s]+)\s*([,}])/y
  entry.lastIndex = opening[0].length
  const keys = new Set<string>()
  for (let match = entry.exec(text); match; match = entry.exec(text)) {
    keys.add(JSON.parse(match[1] as string) as string)
    if (match[2] === '}') return [...keys]
  }
  return undefined
}

const isObject = (value: unknown): value is Row => typeof value === 'object' && value !== null && !Array.isArray(value)
