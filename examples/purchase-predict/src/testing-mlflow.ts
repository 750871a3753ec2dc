/** An MLflow server in memory for the tests: as much of the protocol as the pipelines use, and a look at what they left there. */
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface RecordedRun {
  status: string
  readonly params: Record<string, string>
  readonly metrics: { readonly key: string; readonly value: number; readonly step: number }[]
  readonly tags: Record<string, string>
}

interface RecordedVersion {
  readonly name: string
  readonly version: string
  readonly run_id: string
  readonly source: string
  current_stage: string
}

type Fields = Record<string, string> & {
  metrics?: RecordedRun['metrics']
  params?: Entry[]
  tags?: Entry[]
  stages?: string[]
}
interface Entry {
  readonly key: string
  readonly value: string
}

export class TestingMlflow {
  readonly runs = new Map<string, RecordedRun>()
  readonly versions: RecordedVersion[] = []
  readonly artifacts = new Map<string, Buffer>()
  /** Artifacts that are answered with this status instead: what a server that is in trouble does. */
  readonly broken = new Map<string, number>()
  readonly #server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost')
    const body = await bytesOf(request)
    const answer = pathname.startsWith(ARTIFACTS)
      ? this.#artifact(
          request.method ?? 'GET',
          decodeURIComponent(pathname.slice(ARTIFACTS.length + 1)),
          searchParams.get('path') ?? '',
          body,
        )
      : this.#call(pathname.slice('/api/2.0/mlflow/'.length), {
          ...Object.fromEntries(searchParams),
          ...(body.length > 0 && JSON.parse(body.toString())),
        } as Fields)
    response.statusCode = this.broken.get(pathname.slice(ARTIFACTS.length + 1)) ?? (answer === undefined ? 404 : 200)
    response.end(Buffer.isBuffer(answer) ? answer : JSON.stringify(answer ?? { error_code: 'RESOURCE_DOES_NOT_EXIST', message: pathname }))
  })

  /** Answers the address. */
  async start(): Promise<string> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  stop(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }

  /** Version numbers by their stage. */
  get stages(): Record<string, string> {
    return Object.fromEntries(this.versions.map(({ version, current_stage }) => [version, current_stage]))
  }

  #call(call: string, fields: Fields): unknown {
    const run = this.runs.get(fields.run_id ?? '')
    const version = this.versions.find(({ version: number }) => number === fields.version)
    switch (call) {
      case 'experiments/create':
        return { experiment_id: '1' }
      case 'runs/create': {
        const id = `run${this.runs.size + 1}`
        this.runs.set(id, { status: 'RUNNING', params: {}, metrics: [], tags: byKey(fields.tags) })
        return this.#run(id)
      }
      case 'runs/get':
        return run && this.#run(fields.run_id ?? '')
      case 'runs/log-batch':
        Object.assign(run?.params ?? {}, byKey(fields.params))
        run?.metrics.push(...(fields.metrics ?? []))
        return {}
      case 'runs/set-tag':
        if (run) run.tags[fields.key ?? ''] = fields.value ?? ''
        return {}
      case 'runs/update':
        if (run) run.status = fields.status ?? ''
        return {}
      case 'runs/log-model':
      case 'registered-models/create':
        return {}
      case 'model-versions/create': {
        const { name = '', run_id = '', source = '' } = fields
        const made = { name, run_id, source, version: String(this.versions.length + 1), current_stage: 'None' }
        this.versions.push(made)
        return { model_version: made }
      }
      case 'model-versions/transition-stage':
        for (const other of this.versions) if (other.current_stage === fields.stage) other.current_stage = 'Archived'
        if (version) version.current_stage = fields.stage ?? ''
        return { model_version: version }
      case 'registered-models/get-latest-versions':
        return { model_versions: this.versions.filter(({ current_stage }) => fields.stages?.includes(current_stage)) }
      case 'model-versions/get':
        return version && { model_version: version }
      case 'model-versions/get-download-uri':
        return version && { artifact_uri: version.source }
      default:
        return undefined
    }
  }

  #run(id: string) {
    const { params = {}, status = '' } = this.runs.get(id) ?? {}
    const data = { params: Object.entries(params).map(([key, value]) => ({ key, value })) }
    return { run: { info: { run_id: id, experiment_id: '1', status, artifact_uri: `mlflow-artifacts:/1/${id}` }, data } }
  }

  #artifact(method: string, path: string, folder: string, body: Buffer): unknown {
    if (method === 'PUT') {
      this.artifacts.set(path, body)
      return {}
    }
    if (path !== '') return this.artifacts.get(path)
    const inside = [...this.artifacts.keys()].filter((name) => name.startsWith(`${folder}/`))
    return { files: inside.map((name) => ({ path: name.slice(folder.length + 1), is_dir: false })) }
  }
}

const ARTIFACTS = '/api/2.0/mlflow-artifacts/artifacts'

const byKey = (entries: readonly Entry[] = []) => Object.fromEntries(entries.map(({ key, value }) => [key, value]))

async function bytesOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks)
}
