/** The public samples that tests measure themselves on, read from a folder outside the repository. */

import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { Dataset } from '../src/index.ts'

const FOLDER = process.env.DAGGERBOARD_TEST_DATA ?? resolve(import.meta.dirname, '../../../../shared/data')

/** Why a test on these files must be skipped, or false: made for node:test's `skip`. */
export function missing(...files: string[]): string | false {
  const absent = files.filter((file) => !existsSync(join(FOLDER, file)))
  return absent.length > 0 && `${absent.join(', ')} not in ${FOLDER}: set DAGGERBOARD_TEST_DATA to the folder that holds them`
}

/** A gzipped table without header whose first column is the label. */
export function readTable(file: string): Dataset {
  const rows = readNumbers(file)
  const columns = (rows[0] ?? []).map((_, c) => Float64Array.from(rows, (row) => row[c] ?? Number.NaN))
  const [label = new Float64Array(0), ...features] = columns
  return { featureNames: features.map((_, f) => `f${f}`), columns: features, label }
}

/** A gzipped file of one number per line. */
export const readColumn = (file: string): Float64Array => Float64Array.from(readNumbers(file), (row) => row[0] ?? Number.NaN)

const readNumbers = (file: string): number[][] =>
  gunzipSync(readFileSync(join(FOLDER, file)))
    .toString('utf8')
    .trimEnd()
    .split('\n')
    .map((line) => line.split('\t').map(Number))
