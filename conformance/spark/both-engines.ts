/** Runs the same Spark SQL in Apache Spark and on a cluster of ours, each time from the same file of events. */
import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { EVENT_COLUMNS } from '../../packages/platform/src/warehouse/event.ts'
import type { ColumnType } from '../../packages/platform/src/warehouse/table.ts'
import { LocalCluster } from '../../packages/platform/test/local-cluster.ts'
import { askPython, pythonWith } from '../python.ts'

export interface Script {
  /** `${output}` is the folder that it may write to, `${events}` the table. */
  readonly sql: string
  readonly start?: string
  readonly end?: string
  /** A CSV file of events; by default the table is left as it is, which only suits scripts that do not read it. */
  readonly events?: string
}

export interface Outcome {
  /** What stopped the script; null when it came to its end. */
  readonly stopped: string | null
  /** Where it wrote. */
  readonly output: string
}

const TABLE = 'daggerboard.shop.events'
const SPARK_TYPES: Readonly<Record<ColumnType, string>> = { STRING: 'STRING', INT64: 'BIGINT', FLOAT64: 'DOUBLE', TIMESTAMP: 'TIMESTAMP' }

/** All scripts in one Spark, because it takes seconds to start. */
export async function runInSpark(scripts: Readonly<Record<string, Script>>, directory: string): Promise<Record<string, Outcome>> {
  const python = await pythonWith(['pyspark==3.5.*'])
  const folder = join(directory, 'spark')
  await mkdir(folder, { recursive: true })
  const output = (name: string) => join(folder, 'output', name)
  const { stopped } = await askPython<{ stopped: (string | null)[] }>(python, join(import.meta.dirname, 'run_scripts.py'), {
    folder,
    columns: EVENT_COLUMNS.map(({ name, type }) => `${name} ${SPARK_TYPES[type]}`).join(', '),
    scripts: Object.entries(scripts).map(([name, { sql, events, start = '', end = '' }]) => ({
      sql,
      variables: { events: TABLE, start, end, output: output(name) },
      tables: events === undefined ? {} : { [TABLE]: events },
    })),
  })
  return Object.fromEntries(Object.keys(scripts).map((name, i) => [name, { stopped: stopped[i] ?? null, output: output(name) }]))
}

/** The same on a cluster of ours. */
export async function runHere(scripts: Readonly<Record<string, Script>>, directory: string): Promise<Record<string, Outcome>> {
  const local = new LocalCluster(directory)
  try {
    await local.create('spark')
    const outcomes: Record<string, Outcome> = {}
    for (const [name, { sql, events, start = '', end = '' }] of Object.entries(scripts)) {
      if (events !== undefined) await local.warehouse.loadEvents(events, { replace: true })
      const job = await local.run('spark', sql, { events: TABLE, start, end, output: `gs://output/${name}` })
      // Our messages begin with the line of the statement.
      const stopped = job.status.state === 'DONE' ? null : (job.status.detail ?? '').replace(/^Line \d+: /, '')
      outcomes[name] = { stopped, output: join(directory, 'buckets/output', name) }
    }
    return outcomes
  } finally {
    await local.stop()
  }
}

/** The texts of the folder's parts, in their order. */
export async function partsIn(folder: string): Promise<string[]> {
  const names = (await readdir(folder)).filter((name) => name.startsWith('part-') && name.endsWith('.csv')).sort()
  return Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')))
}
