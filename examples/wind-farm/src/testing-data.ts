/** What the tests work on: a folder of their own, made-up data, and the real sample where it lies beside the project. */
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { TestContext } from 'node:test'
import { writeWhole } from './files.ts'
import { generatedCsv } from './generator/csv.ts'

const FOLDER = process.env.DAGGERBOARD_TEST_DATA ?? resolve(import.meta.dirname, '../../../../shared/data')
export const REAL_SAMPLE = join(FOLDER, 'wind/la_haute_borne_sample.csv')

/** Why a test on the real sample must be skipped, or false: made for node:test's `skip`. */
export const noRealSample: string | false =
  !existsSync(REAL_SAMPLE) && `wind/la_haute_borne_sample.csv is not in ${FOLDER}: set DAGGERBOARD_TEST_DATA to the folder that holds it`

/** A folder that goes away with the test. */
export async function ownFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'wind-farm-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** So many days of the made-up farm as a CSV in `folder`. */
export async function generatedFile(folder: string, days: number, start = '2026-01-05'): Promise<string> {
  const path = join(folder, `${days}-days.csv`)
  const from = new Date(start)
  await writeWhole(path, generatedCsv({ start: from, end: new Date(from.getTime() + days * 86_400_000) }))
  return path
}

/** A file with the given rows, each of which names the columns that it has. */
export async function fileOf(
  path: string,
  rows: readonly Readonly<Record<string, string | number>>[],
  columns: readonly string[],
): Promise<string> {
  const lines = rows.map((row) => columns.map((column) => row[column] ?? '').join(';'))
  await writeWhole(path, [`${[columns.join(';'), ...lines].join('\n')}\n`])
  return path
}
