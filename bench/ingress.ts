/** How fast requests reach a deployed service: a real platform, a service of one small handler, with and without the ingress between. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pushApp } from '../packages/platform/test/app-image.ts'
import { RunningPlatform } from '../test/end-to-end/running-platform.ts'
import { type Load, measure } from './load/measure.ts'

const HANDLER = `
import { createServer } from 'node:http'
createServer({ keepAliveTimeout: 65_000 }, (request, response) => {
  request.resume().once('end', () => response.setHeader('Content-Type', 'application/json').end('{"predictions":[0]}'))
}).listen(process.env.PORT, '127.0.0.1')
process.once('SIGTERM', () => process.exit(0))`

/** `npm run bench -- ingress [CONNECTIONS] [SECONDS]` */
export async function run([connections = '10', seconds = '10']: string[]): Promise<object> {
  const dags = await mkdtemp(join(tmpdir(), 'daggerboard-bench-'))
  const platform = await RunningPlatform.start(['start'], {
    environment: { DAGGERBOARD_LOAD_EXAMPLES: 'false', DAGGERBOARD_DAGS_FOLDER: dags },
  })
  try {
    const endpoint = await platform.endpoint()
    const token = await platform.token(endpoint)
    await pushApp({ endpoint, token, repository: 'daggerboard/tiny', tag: 'v1', source: HANDLER })
    const revision = await deploy(endpoint, token)
    const load: Omit<Load, 'url'> = {
      ...{ method: 'POST', body: '{"rows":[]}', headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' } },
      ...{ connections: Number(connections), warmupSeconds: 3, seconds: Number(seconds) },
    }
    const through = await measure({ ...load, url: `${endpoint}/services/tiny/predict` })
    const log = await readFile(join(platform.home, 'revisions', `${revision}.log`), 'utf8')
    const direct = await measure({ ...load, url: `http://127.0.0.1:${/PORT=(\d+)/.exec(log)?.[1]}/predict` })
    return {
      connections: load.connections,
      ...through,
      directRequestsPerSecond: direct.requestsPerSecond,
      directP50Milliseconds: direct.p50Milliseconds,
      directP99Milliseconds: direct.p99Milliseconds,
      shareOfDirect: through.requestsPerSecond / direct.requestsPerSecond,
    }
  } finally {
    await platform.remove()
    await rm(dags, { recursive: true, force: true })
  }
}

/** Answers the revision's name once it serves. */
async function deploy(endpoint: string, token: string): Promise<string> {
  const parent = `${endpoint}/v2/projects/daggerboard/locations/us-central1/services`
  const headers = { Authorization: `Bearer ${token}` }
  const body = JSON.stringify({ template: { containers: [{ image: 'gcr.io/daggerboard/tiny:v1' }] } })
  const created = await fetch(`${parent}?serviceId=tiny`, { method: 'POST', headers, body })
  if (!created.ok) throw new Error(`The service could not be deployed: ${await created.text()}`)
  for (;;) {
    const service = (await (await fetch(`${parent}/tiny`, { headers })).json()) as {
      latestReadyRevision?: string
      trafficStatuses?: unknown[]
    }
    if (service.trafficStatuses?.length) return service.latestReadyRevision?.split('/').at(-1) ?? ''
    await new Promise((wake) => setTimeout(wake, 50))
  }
}
