/** The child process that holds one DuckDB database. It is started by `EngineProcess` and spoken to over IPC only. */
import { DuckDBInstance, type DuckDBValue } from '@duckdb/node-api'
import type { EngineReply, EngineRequest } from './engine-process.ts'

const LOOK_EVERY_MS = 100

type Connection = Awaited<ReturnType<DuckDBInstance['connect']>>

let instance: DuckDBInstance | undefined
const sessions = new Map<string, Connection>()
/** Requests to interrupt. DuckDB forgets an interruption that comes before its statement has begun, so it is repeated until the statement has ended. */
const interrupted = new Set<number>()
const running = new Set<number>()

const reply = (message: EngineReply) => process.send?.(message)

process.on('message', (request: EngineRequest) => void handle(request))
// The platform is gone (also after a `kill -9`): nobody can read an answer any more, and the file must be free for the next platform.
// An orderly exit would wait for the statement that runs; what it committed is safe in the file's log.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'))

async function handle(request: EngineRequest): Promise<void> {
  if (request.kind === 'interrupt') {
    if (!running.has(request.id)) return
    interrupted.add(request.id)
    sessions.get(request.session)?.interrupt()
    return
  }
  if (request.kind === 'close') {
    sessions.get(request.session)?.closeSync()
    sessions.delete(request.session)
    return
  }
  try {
    const rows = request.kind === 'open' ? await open(request) : await run(request)
    reply({ id: request.id, kind: 'rows', rows })
  } catch (error) {
    reply({ id: request.id, kind: 'error', message: error instanceof Error ? error.message : String(error) })
  }
}

async function open({ path, config, setup }: EngineRequest & { kind: 'open' }): Promise<[]> {
  instance = await DuckDBInstance.create(path, config)
  const connection = await instance.connect()
  for (const sql of setup) await connection.run(sql)
  connection.closeSync()
  return []
}

async function run({ id, session, sql, values }: EngineRequest & { kind: 'run' }): Promise<Record<string, unknown>[]> {
  running.add(id)
  let timer: NodeJS.Timeout | undefined
  try {
    const connection = await connectionOf(session)
    if (interrupted.has(id)) throw new Error('The statement was interrupted.')
    timer = setInterval(() => {
      if (interrupted.has(id)) return connection.interrupt()
      const { percentage } = connection.progress
      if (percentage >= 0) reply({ id, kind: 'progress', fraction: percentage / 100 })
    }, LOOK_EVERY_MS)
    const result = await connection.runAndReadAll(sql, values as DuckDBValue[])
    return result.getRowObjectsJS().map(withPlainNumbers)
  } finally {
    clearInterval(timer)
    running.delete(id)
    interrupted.delete(id)
  }
}

async function connectionOf(session: string): Promise<Connection> {
  const known = sessions.get(session)
  if (known) return known
  if (!instance) throw new Error('The database is not open.')
  const connection = await instance.connect()
  sessions.set(session, connection)
  return connection
}

/** 64-bit integers arrive as bigint; those that a number holds exactly become numbers. */
function withPlainNumbers(row: Record<string, unknown>): Record<string, unknown> {
  for (const [name, value] of Object.entries(row))
    if (typeof value === 'bigint' && Number.isSafeInteger(Number(value))) row[name] = Number(value)
  return row
}
