/** Waiting for the end of a run: one line of JSON for each look at it, as Airflow streams them. */
import { z } from 'zod'
import type { DagRun } from '../../scheduling/dag-run.ts'
import { isFinished } from '../../scheduling/dag-run.ts'
import { RETURN_VALUE } from '../../scheduling/xcom.ts'
import { maskFields } from '../../secrets/masking.ts'
import { decimal, many, readQuery, text } from '../airflow-query.ts'
import { type Door, permit } from '../door.ts'
import type { AirflowDoorOptions } from './airflow-door.ts'
import { findRun } from './request.ts'

/** Whoever asks for more often gets this: each look reads the store. */
const SHORTEST_PAUSE_MS = 100

const interval = z
  .array(z.string())
  .transform((values) => values.at(-1) as string)
  .pipe(decimal)
  .refine((seconds) => seconds > 0 && seconds <= 3600, 'is not a number of seconds above 0, up to 3600')

export function addDagRunWaitRoutes(door: Door, { runs, xcoms, events, clock, stopping }: AirflowDoorOptions): void {
  door.get('/api/v2/dags/:dag/dagRuns/:run/wait', permit('dags.read'), async (c) => {
    const { dag, run: runId } = c.req.param()
    const query = readQuery(c.req, { interval, result: many(text) })
    const first = await findRun(runs, dag, runId)

    const lastLine = async (run: DagRun) => {
      if (!query.result) return { state: run.state, duration: durationOf(run) }
      const values = query.result.map(async (taskId) => {
        const kept = (await xcoms.list(dag, runId, taskId)).filter(({ key }) => key === RETURN_VALUE)
        // Of a mapped task the values of all its instances, in their order.
        const isMapped = kept.some(({ mapIndex }) => mapIndex >= 0)
        return [taskId, maskFields(isMapped ? kept.map(({ value }) => value) : (kept[0]?.value ?? null))] as const
      })
      return { state: run.state, duration: durationOf(run), results: Object.fromEntries(await Promise.all(values)) }
    }

    const ended = new AbortController()
    const signal = stopping ? AbortSignal.any([ended.signal, stopping]) : ended.signal
    async function* lines(): AsyncGenerator<string> {
      let changed = new AbortController()
      // Its end is seen at once, not with the next look.
      const unsubscribe = events.subscribe((event) => {
        if (event.type === 'dag_run.changed' && event.facts.dagId === dag && event.facts.runId === runId) changed.abort()
      })
      try {
        for (let run: DagRun | null = first; run && !signal.aborted; run = await runs.find(dag, runId)) {
          if (isFinished(run.state)) return yield `${JSON.stringify(await lastLine(run))}\n`
          yield `${JSON.stringify({ state: run.state, duration: durationOf(run) })}\n`
          await clock.sleep(Math.max(query.interval * 1000, SHORTEST_PAUSE_MS), AbortSignal.any([changed.signal, signal]))
          if (changed.signal.aborted) changed = new AbortController()
        }
      } finally {
        unsubscribe()
      }
    }

    const source = lines()
    const encoder = new TextEncoder()
    const stream = new ReadableStream<Uint8Array>({
      async pull(controller) {
        const { value, done } = await source.next()
        if (done) controller.close()
        else controller.enqueue(encoder.encode(value))
      },
      cancel: () => ended.abort(),
    })
    return new Response(stream, { headers: { 'Content-Type': 'application/x-ndjson', 'Cache-Control': 'no-store' } })
  })
}

const durationOf = ({ startedAt, endedAt }: DagRun): number | null =>
  startedAt === null || endedAt === null ? null : (Date.parse(endedAt) - Date.parse(startedAt)) / 1000
