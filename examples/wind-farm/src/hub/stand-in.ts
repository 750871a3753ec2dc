/** Stands in for the Engie hub, which is offline: the same address and the same answers, with made-up turbine data. Loopback only. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { DEFAULT_SEED } from '../generator/csv.ts'
import { measure, STEP_MS, turbineNumber } from '../generator/turbine.ts'
import { MEASUREMENTS } from '../signals.ts'

export interface StandIn {
  /** `http://127.0.0.1:PORT` */
  readonly endpoint: string
  close(): Promise<void>
}

export interface StandInOptions {
  /** 0 for any that is free. */
  readonly port?: number
  readonly seed?: number
  /** No row is later: what has not happened has not been measured. */
  readonly now?: () => Date
}

const EXPORTS = /^\/api\/v2\/catalog\/datasets\/[\w-]+\/exports\/json$/
const CONDITION = /^wind_turbine_name = "([\w-]+)" and date_time >= "([^"]+)" and date_time <= "([^"]+)"$/
/** More rows than this at once would only be asked for by mistake. */
const MOST_ROWS = 60_000

export async function startStandIn({ port = 0, seed = DEFAULT_SEED, now = () => new Date() }: StandInOptions = {}): Promise<StandIn> {
  const server = createServer((request, response) => {
    const { status, body } = answer(new URL(request.url ?? '/', 'http://hub'), seed, now())
    response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' }).end(body)
  })
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve))
  return { endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => close(server) }
}

function answer(url: URL, seed: number, now: Date): { status: number; body: string } {
  const refuse = (status: number, message: string) => ({ status, body: JSON.stringify({ message }) })
  if (!EXPORTS.test(url.pathname)) return refuse(404, `There is nothing at ${url.pathname}.`)
  const [, name = '', from = '', to = ''] = CONDITION.exec(url.searchParams.get('where') ?? '') ?? []
  const [start, end] = [Date.parse(from), Math.min(Date.parse(to), now.getTime())]
  if (Number.isNaN(start) || Number.isNaN(end)) return refuse(400, 'The condition "where" cannot be read.')
  const turbine = turbineNumber(name)
  const first = Math.ceil(start / STEP_MS)
  const last = Math.floor(end / STEP_MS)
  if (last - first > MOST_ROWS) return refuse(400, `That is ${last - first} rows; ask for at most ${MOST_ROWS}.`)
  const rows: string[] = []
  for (let step = first; turbine >= 0 && step <= last; step++) {
    const time = new Date(step * STEP_MS).toISOString().replace('.000Z', '+00:00')
    const values = measure(seed, turbine, step)
    const fields = MEASUREMENTS.map((field, i) => [field.toLowerCase(), Number.isNaN(values[i]) ? null : values[i]])
    rows.push(JSON.stringify({ wind_turbine_name: name, date_time: time, ...Object.fromEntries(fields) }))
  }
  return { status: 200, body: `[${rows.join(',')}]` }
}

const close = (server: Server): Promise<void> =>
  new Promise((resolve, reject) => {
    server.close((error) => (error ? reject(error) : resolve()))
    server.closeAllConnections()
  })
