/** The client of the Engie hub's open data: the measurements of a turbine in a stretch of time. */
import { setTimeout as rest } from 'node:timers/promises'
import { COLUMNS } from '../signals.ts'
import { UnusableData } from '../unusable-data.ts'

/** Where the hub is, as a connection of the platform says it. */
export interface HubAddress {
  /** `https://opendata-renewables.engie.com` */
  readonly endpoint: string
  /** Null: the one of the years from 2017 on. */
  readonly dataset?: string | null
  readonly apiKey?: string | null
}

export interface HubQuery {
  readonly turbine: string
  readonly start: Date
  /** Not in it any more, so that stretches that follow each other have no row in common. */
  readonly end: Date
  readonly signal?: AbortSignal
}

/** One row: a value for each of `COLUMNS`, as its CSV has it; empty where there is none. */
export type HubRow = readonly string[]

const DEFAULT_DATASET = 'la-haute-borne-data-2017-2020'
const CALL_TIMEOUT_MS = 120_000
const TRIES = 5
const FIRST_REST_MS = 500
const BUSY: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504])
const FIELDS = COLUMNS.map((name) => name.toLowerCase())
const NAME = /^[\w-]{1,100}$/

export class EngieHub {
  readonly #address: HubAddress
  readonly #firstRestMs: number

  /** `firstRestMs`: the wait after the first try at a busy hub; it doubles after each one. */
  constructor(address: HubAddress, { firstRestMs = FIRST_REST_MS }: { firstRestMs?: number } = {}) {
    const { endpoint, dataset, apiKey } = address
    const isAddress = URL.canParse(endpoint) && /^https?:$/.test(new URL(endpoint).protocol)
    UnusableData.throwIfAny('The address of the Engie hub cannot be used.', [
      ...(isAddress ? [] : [`"${endpoint}" is no http or https address.`]),
      ...(apiKey && isAddress && isOpenToListeners(endpoint) ? [`A key may not go to ${endpoint} unencrypted. Use https.`] : []),
      ...(dataset == null || NAME.test(dataset) ? [] : [`"${dataset}" is no name of a data set.`]),
    ])
    this.#address = address
    this.#firstRestMs = firstRestMs
  }

  /** The rows in the order of time. Throws UnusableData when the hub refuses, or answers something else; a busy hub is asked again. */
  async rows({ turbine, start, end, signal }: HubQuery): Promise<HubRow[]> {
    // The name becomes part of a condition.
    if (!NAME.test(turbine)) throw new UnusableData(`"${turbine}" is no name of a turbine.`, ['Use letters, digits, "-" and "_".'])
    const url = this.#urlOf(turbine, start, end)
    const records = await this.#ask(url, signal)
    const rows: { time: number; row: HubRow }[] = []
    for (const record of records) {
      const time = Date.parse(String(record.date_time))
      if (record.wind_turbine_name !== turbine || Number.isNaN(time))
        throw new UnusableData(`The Engie hub answered a row that is not of turbine ${turbine}, or has no time.`, [
          `It was asked ${url.pathname}.`,
        ])
      if (time < start.getTime() || time >= end.getTime()) continue
      rows.push({ time, row: FIELDS.map((field) => textOf(record[field])) })
    }
    return rows.sort((a, b) => a.time - b.time).map(({ row }) => row)
  }

  #urlOf(turbine: string, start: Date, end: Date): URL {
    const { endpoint, dataset } = this.#address
    const url = new URL(`/api/v2/catalog/datasets/${dataset ?? DEFAULT_DATASET}/exports/json`, endpoint)
    const where = `wind_turbine_name = "${turbine}" and date_time >= "${start.toISOString()}" and date_time <= "${end.toISOString()}"`
    url.search = new URLSearchParams({ where, rows: '-1', pretty: 'false', timezone: 'UTC' }).toString()
    return url
  }

  async #ask(url: URL, signal: AbortSignal | undefined): Promise<Readonly<Record<string, unknown>>[]> {
    for (let attempt = 1; ; attempt++) {
      const answer = await this.#try(url, signal)
      if (Array.isArray(answer)) return answer
      if (!answer.isPassing || attempt === TRIES)
        throw new UnusableData(`The Engie hub at ${url.origin} ${answer.problem}.`, ['See the connection engie_hub.'])
      await rest(this.#firstRestMs * 2 ** (attempt - 1), undefined, signal ? { signal } : {})
    }
  }

  async #try(
    url: URL,
    signal: AbortSignal | undefined,
  ): Promise<Readonly<Record<string, unknown>>[] | { isPassing: boolean; problem: string }> {
    const { apiKey } = this.#address
    const timeout = AbortSignal.timeout(CALL_TIMEOUT_MS)
    try {
      const response = await fetch(url, {
        headers: { accept: 'application/json', ...(apiKey ? { authorization: `Apikey ${apiKey}` } : {}) },
        signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      })
      if (!response.ok) {
        const said = (await response.text()).slice(0, 200)
        return { isPassing: BUSY.has(response.status), problem: `answered ${response.status}: ${said}` }
      }
      const body: unknown = await response.json()
      return Array.isArray(body) ? body : { isPassing: false, problem: 'did not answer a list of rows' }
    } catch (error) {
      signal?.throwIfAborted()
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error)
      return { isPassing: true, problem: `cannot be reached: ${cause}` }
    }
  }
}

const isOpenToListeners = (endpoint: string): boolean => {
  const { protocol, hostname } = new URL(endpoint)
  return protocol === 'http:' && !['127.0.0.1', 'localhost', '[::1]'].includes(hostname)
}

const textOf = (value: unknown): string => (value === null || value === undefined ? '' : String(value))
