/** The monitoring table: what was predicted on average, and when. */
import { mkdir, readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { PREDICTIONS_HEADER } from './model/predict.ts'
import { UnusableData } from './unusable-data.ts'

export interface MonitorOptions {
  readonly predictionsPath: string
  /** An SQLite file; its table `monitoring` has the columns `predictions_time` and `predictions`. */
  readonly monitoringPath: string
}

const TABLE = 'CREATE TABLE IF NOT EXISTS monitoring (predictions_time TEXT PRIMARY KEY, predictions REAL NOT NULL) STRICT'
const APPEND =
  'INSERT INTO monitoring VALUES (?, ?) ON CONFLICT (predictions_time) DO UPDATE SET predictions = excluded.predictions RETURNING *'
/** How long another writer is waited for. */
const BUSY_MS = 10_000

export interface MonitoringRow {
  readonly predictions_time: string
  readonly predictions: number
}

/** Adds the mean of each time in a file of predictions; the same file again changes nothing. Answers the rows. */
export async function monitor({ predictionsPath, monitoringPath }: MonitorOptions): Promise<MonitoringRow[]> {
  const means = meansOf(predictionsPath, await readFile(predictionsPath, 'utf8'))
  await mkdir(dirname(monitoringPath), { recursive: true })
  const db = new DatabaseSync(monitoringPath)
  try {
    db.exec(`PRAGMA busy_timeout = ${BUSY_MS}; ${TABLE}`)
    const append = db.prepare(APPEND)
    return [...means].map(([time, { sum, count }]) => ({ ...append.get(time, sum / count) }) as unknown as MonitoringRow)
  } finally {
    db.close()
  }
}

/** The whole table, in the order of time. */
export function readMonitoring(monitoringPath: string): MonitoringRow[] {
  const db = new DatabaseSync(monitoringPath, { readOnly: true })
  try {
    return db
      .prepare('SELECT * FROM monitoring ORDER BY predictions_time')
      .all()
      .map((row) => ({ ...row }) as unknown as MonitoringRow)
  } finally {
    db.close()
  }
}

function meansOf(path: string, text: string): Map<string, { sum: number; count: number }> {
  const [header, ...lines] = text.trimEnd().split(/\r?\n/)
  if (header !== PREDICTIONS_HEADER)
    throw new UnusableData(`${path} is not a file of predictions.`, [`Its first line must be "${PREDICTIONS_HEADER}".`])
  const means = new Map<string, { sum: number; count: number }>()
  for (const [index, line] of lines.entries()) {
    const [value = '', time = ''] = line.split(',')
    const prediction = value === '' ? Number.NaN : Number(value)
    if (!Number.isFinite(prediction) || time === '')
      throw new UnusableData(`${path} cannot be read.`, [`Line ${index + 2} is ${JSON.stringify(line)}.`])
    const mean = means.get(time) ?? { sum: 0, count: 0 }
    mean.sum += prediction
    mean.count++
    means.set(time, mean)
  }
  return means
}
