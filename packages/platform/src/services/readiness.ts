/** Readiness: when a revision that has been started may take traffic. */
import { AppError } from '../core/app-error.ts'
import type { Clock } from '../core/clock.ts'
import type { RunningRevision } from './revision.ts'

/** `path` null asks whether the port accepts connections; a path asks for an answer below 400. */
export interface Probe {
  readonly path: string | null
  readonly initialDelaySeconds: number
  /** All tries together. */
  readonly timeoutSeconds: number
}

/** As Cloud Run has it: the port must be open within 240 s. */
export const DEFAULT_PROBE: Probe = { path: null, initialDelaySeconds: 0, timeoutSeconds: 240 }

/** More often than the period that users give: what is ready should not wait to be asked. */
const PAUSE_MS = 100

/** Resolves once the probe succeeds; throws `unavailable` when time is up or the process ends first. */
export async function waitUntilReady(running: RunningRevision, probe: Probe, clock: Clock, signal: AbortSignal): Promise<void> {
  let ended: string | null = null
  void running.exited.then((how) => {
    ended = how
  })
  const deadline = clock.now().getTime() + (probe.initialDelaySeconds + probe.timeoutSeconds) * 1000
  if (probe.initialDelaySeconds > 0) await clock.sleep(probe.initialDelaySeconds * 1000, signal)
  for (;;) {
    signal.throwIfAborted()
    if (ended !== null) throw new AppError('unavailable', `its process ended before it was ready (${ended})`)
    if (await running.probe(probe, signal)) return
    if (clock.now().getTime() >= deadline) throw new AppError('unavailable', tooLate(probe))
    await clock.sleep(PAUSE_MS, signal)
  }
}

const tooLate = ({ path, timeoutSeconds }: Probe): string =>
  path === null
    ? `it did not listen on the port in the variable PORT within ${timeoutSeconds} s`
    : `GET ${path} did not answer with a status below 400 within ${timeoutSeconds} s`
