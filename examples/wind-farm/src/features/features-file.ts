/** Prepared features as a file: a line of JSON that says what is in it, then one block of numbers per column. Tasks hand its path to each other. */
import { readFile } from 'node:fs/promises'
import { endianness } from 'node:os'
import { writeWhole } from '../files.ts'
import { UnusableData } from '../unusable-data.ts'
import type { Features, Preparation } from './preparation.ts'

export interface FeaturesFile {
  readonly features: Features
  readonly preparation: Preparation
  /** So many of the first rows are for training, the later ones for judging; 0 when they are to be predicted. */
  readonly trainingRows: number
}

interface Header {
  readonly format: typeof FORMAT
  readonly rows: number
  readonly names: readonly string[]
  readonly hasLabel: boolean
  readonly trainingRows: number
  readonly preparation: Preparation
}

const FORMAT = 'wind-farm features 1'
const NEWLINE = 10
/** Numbers are kept as little-endian doubles, which nearly every machine can map as they are. */
const isLittleEndian = endianness() === 'LE'

export async function writeFeatures(path: string, { features, preparation, trainingRows }: FeaturesFile): Promise<void> {
  const { names, columns, label, time } = features
  const header: Header = { format: FORMAT, rows: time.length, names, hasLabel: label !== null, trainingRows, preparation }
  const blocks = [time, ...columns, ...(label ? [label] : [])].map(bytesOf)
  await writeWhole(path, [`${JSON.stringify(header)}\n`, ...blocks])
}

/** Throws UnusableData when the file is none of `writeFeatures`, or is cut short. */
export async function readFeatures(path: string): Promise<FeaturesFile> {
  const bytes = await readFile(path)
  const newline = bytes.indexOf(NEWLINE)
  const header = headerOf(bytes.toString('utf8', 0, Math.max(0, newline)))
  if (header === null) throw new UnusableData(`${path} is not a file of features.`, ['Prepare it with prepareFeaturesFile.'])
  const blocks = header.names.length + 1 + (header.hasLabel ? 1 : 0)
  const expected = newline + 1 + 8 * header.rows * blocks
  if (bytes.length !== expected)
    throw new UnusableData(`${path} has ${bytes.length} bytes, but its first line tells of ${expected}.`, ['Prepare it again.'])
  const block = (index: number): Float64Array => numbersOf(bytes, newline + 1 + 8 * header.rows * index, header.rows)
  return {
    features: {
      names: header.names,
      columns: header.names.map((_, index) => block(index + 1)),
      label: header.hasLabel ? block(blocks - 1) : null,
      time: block(0),
    },
    preparation: header.preparation,
    trainingRows: header.trainingRows,
  }
}

function headerOf(line: string): Header | null {
  try {
    const header = JSON.parse(line) as Header
    return header.format === FORMAT ? header : null
  } catch {
    return null
  }
}

function bytesOf(numbers: Float64Array): Uint8Array {
  const bytes = Buffer.from(numbers.buffer, numbers.byteOffset, numbers.byteLength)
  return isLittleEndian ? bytes : Buffer.from(bytes).swap64()
}

function numbersOf(bytes: Buffer, from: number, count: number): Float64Array {
  const numbers = new Float64Array(count)
  const copy = Buffer.from(numbers.buffer)
  bytes.copy(copy, 0, from, from + 8 * count)
  if (!isLittleEndian) copy.swap64()
  return numbers
}
