/** Which of the files that were brought is the latest: the one with the latest measurements. A backfill, or a run that is repeated, brings older ones. */
import { readTurbineCsv } from '../features/turbine-table.ts'
import { makeLatest } from '../files.ts'

/** Makes `latest` a copy of the file at `path`, unless it has measurements of a later time. Answers whether it did. */
export async function makeLatestData(path: string, latest: string): Promise<boolean> {
  const [own, former] = await Promise.all([lastTimeIn(path), lastTimeIn(latest).catch(() => Number.NEGATIVE_INFINITY)])
  if (own < former) return false
  await makeLatest(path, latest)
  return true
}

/** Milliseconds since 1970; -Infinity when there are no rows. */
async function lastTimeIn(path: string): Promise<number> {
  const { time } = await readTurbineCsv(path, { target: false })
  return time.reduce((last, each) => Math.max(last, each), Number.NEGATIVE_INFINITY)
}
