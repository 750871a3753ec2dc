/** The text of a build's log: all of it, a range, or as it comes (`?follow=true`). */
import type { BuildLog } from '../../builds/build-log.ts'
import type { BuildRunner } from '../../builds/build-runner.ts'
import type { Builds } from '../../builds/builds.ts'
import { readRange } from '../byte-range.ts'
import { type Door, permit } from '../door.ts'
import { projectOf } from './request.ts'

export interface LogRouteOptions {
  readonly builds: Builds
  readonly runner: BuildRunner
  readonly log: BuildLog
}

const PLAIN = { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' }

export function addLogRoute(door: Door, root: string, { builds, runner, log }: LogRouteOptions): void {
  door.get(`${root}/builds/:id/log`, permit('builds.read'), async (c) => {
    const { id } = await builds.find(projectOf(c), c.req.param('id'))
    if (c.req.query('follow') === 'true') {
      const over = new AbortController()
      void runner.finished(id, c.req.raw.signal).then(() => over.abort())
      const from = Number(/^bytes=(\d+)-$/.exec(c.req.header('range') ?? '')?.[1] ?? 0)
      return new Response(ReadableStream.from(log.follow(id, from, over.signal)) as ReadableStream<Uint8Array>, { headers: PLAIN })
    }
    const bytes = (await log.read(id, 0)) ?? new Uint8Array()
    const range = readRange(c.req.header('range'), bytes.length)
    if (range === 'unsatisfiable') return c.body(null, 416, { 'content-range': `bytes */${bytes.length}` })
    if (range === null) return new Response(bytes as Uint8Array<ArrayBuffer>, { headers: { ...PLAIN, 'accept-ranges': 'bytes' } })
    return new Response(bytes.slice(range.start, range.end + 1) as Uint8Array<ArrayBuffer>, {
      status: 206,
      headers: { ...PLAIN, 'content-range': `bytes ${range.start}-${range.end}/${bytes.length}` },
    })
  })
}
