/** Measures how an address answers under load: how many requests a second, and how long each takes. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'

export interface Load {
  readonly url: string
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly connections: number
  /** Not measured. */
  readonly warmupSeconds: number
  readonly seconds: number
}

export interface Measured {
  readonly requests: number
  readonly requestsPerSecond: number
  readonly p50Milliseconds: number
  readonly p99Milliseconds: number
  readonly maxMilliseconds: number
  /** Answers that were no success. */
  readonly failures: number
}

export async function measure(load: Load): Promise<Measured> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'load.ts')], { stdio: ['pipe', 'pipe', 'inherit'] })
  child.stdin.end(JSON.stringify(load))
  const output = await text(child.stdout)
  if (output === '') throw new Error(`The load on ${load.url} broke off; its words are above.`)
  const { milliseconds, failures } = JSON.parse(output) as { milliseconds: number[]; failures: number }
  const sorted = milliseconds.toSorted((a, b) => a - b)
  const quantile = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN
  return {
    requests: sorted.length,
    requestsPerSecond: Math.round(sorted.length / load.seconds),
    p50Milliseconds: quantile(0.5),
    p99Milliseconds: quantile(0.99),
    maxMilliseconds: quantile(1),
    failures,
  }
}
