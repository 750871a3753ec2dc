/** Fills the warehouse for the demo: generated events, events replayed from transform rows, or a real file. */
import { spawn } from 'node:child_process'
import { access, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { type DataInterval, lastWeek, weekOf } from '../cli/demo.ts'
import type { Terminal } from '../cli/terminal.ts'
import { AppError } from '../core/app-error.ts'
import { ROOT } from '../settings.ts'
import type { Warehouse } from '../warehouse/warehouse.ts'

const GENERATOR = join(ROOT, 'examples/shop-events/generate.ts')
const LARGEST_SIZE = 50_000_000

export interface DemoData {
  readonly warehouse: Warehouse
  readonly terminal: Terminal
  readonly signal: AbortSignal
  /** Events to generate for the week; 0 for none, when `events` has them all. */
  readonly size: number
  readonly seed: number
  /** A file of transform rows to replay instead. */
  readonly rows?: string | undefined
  /** A real file of events to load besides. */
  readonly events?: string | undefined
}

/** The interval to refresh, and whether it is the one that the schedule asks for. A week that has events already is left as it is. */
export async function fillWarehouse(options: DemoData): Promise<{ interval: DataInterval; isScheduled: boolean }> {
  const { warehouse, terminal, signal, size, seed, rows, events } = options
  if (!Number.isInteger(size) || size < 0 || size > LARGEST_SIZE)
    throw new AppError('invalid', `--size must be a whole number from 0 to ${LARGEST_SIZE}.`)
  if (!Number.isInteger(seed)) throw new AppError('invalid', '--seed must be a whole number.')
  for (const file of [rows, events]) if (file !== undefined) await access(file).catch(() => missing(file))

  const interval = lastWeek(new Date())
  // The schedule ticks at 05:00, and the transform takes whole days: from `ds` to before `next_ds`.
  const days = { start: atMidnight(interval.start), end: atMidnight(interval.end) }
  if ((rows !== undefined || size > 0) && (await warehouse.countEvents(days)) === 0) {
    const from = days.start.toISOString().slice(0, 10)
    const what = rows === undefined ? ['--events', String(size), '--seed', String(seed)] : ['--rows', resolve(rows)]
    await generate([...what, '--from', from], options)
  }
  const week = await warehouse.countEvents(days)
  if (week > 0) terminal.event(`${week.toLocaleString('en')} events in the week of ${days.start.toISOString().slice(0, 10)}`)
  if (events === undefined) return { interval, isScheduled: true }

  const loaded = await load(resolve(events), options)
  terminal.event(`${loaded.toLocaleString('en')} events of ${events}`)
  signal.throwIfAborted()
  const range = await warehouse.eventRange()
  const first = loaded > 0 && range ? range.start : interval.start
  return { interval: weekOf(first), isScheduled: false }
}

async function generate(args: readonly string[], options: DemoData): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'daggerboard-events-'))
  try {
    const file = join(folder, 'events.csv')
    options.terminal.status('generating events')
    await run([GENERATOR, ...args, '--file', file], options.signal)
    await load(file, options)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function load(file: string, { warehouse, terminal, signal }: DemoData): Promise<number> {
  const onProgress = (fraction: number) => terminal.status(`loading events: ${Math.round(fraction * 100)} %`)
  const rows = await warehouse.loadEvents(file, { signal, onProgress })
  terminal.status('')
  return rows
}

/** The generator is a program of the example shop; in a process of its own it leaves the platform small. */
function run(args: readonly string[], signal: AbortSignal): Promise<void> {
  return new Promise((done, failed) => {
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
      signal,
    })
    let said = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
    child.on('error', failed)
    child.on('close', (code) => (code === 0 ? done() : failed(new AppError('invalid', `No events were made: ${said.trim()}`))))
  })
}

const atMidnight = (instant: Date) => new Date(Date.UTC(instant.getUTCFullYear(), instant.getUTCMonth(), instant.getUTCDate()))

function missing(file: string): never {
  throw new AppError('not_found', `There is no file "${file}". Check the path.`)
}
