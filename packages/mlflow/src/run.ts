/** A run that is going on: what it logs goes to the server at once. */
import { artifactPath, type Connection } from './connection.ts'

export type EndStatus = 'FINISHED' | 'FAILED' | 'KILLED'

/** Lists and objects are logged as their JSON. */
export type ParamValue = string | number | boolean | null | readonly unknown[] | Readonly<Record<string, unknown>>

/** What the server knows of a run. Times are milliseconds since 1970; of each metric the latest value. */
export interface RunInfo {
  readonly id: string
  readonly name: string
  readonly experimentId: string
  readonly status: string
  readonly startTime: number
  readonly endTime: number | null
  readonly artifactUri: string
  readonly metrics: Readonly<Record<string, number>>
  readonly params: Readonly<Record<string, string>>
  readonly tags: Readonly<Record<string, string>>
}

const METRICS_PER_CALL = 1000
const PARAMS_PER_CALL = 100

export class Run {
  readonly id: string
  readonly name: string
  readonly experimentId: string
  readonly artifactUri: string
  #connection: Connection

  /** Runs are made by `MlflowClient.startRun`. */
  constructor(
    connection: Connection,
    { id, name, experimentId, artifactUri }: Pick<RunInfo, 'id' | 'name' | 'experimentId' | 'artifactUri'>,
  ) {
    this.#connection = connection
    this.id = id
    this.name = name
    this.experimentId = experimentId
    this.artifactUri = artifactUri
  }

  logParam(key: string, value: ParamValue): Promise<void> {
    return this.logParams({ [key]: value })
  }

  /** A param is written once: the same value again is fine, another one is refused. */
  async logParams(params: Readonly<Record<string, ParamValue>>): Promise<void> {
    const entries = Object.entries(params).map(([key, value]) => ({ key, value: paramText(value) }))
    for (const part of chunks(entries, PARAMS_PER_CALL)) await this.#log({ params: part })
  }

  logMetric(key: string, value: number, step = 0): Promise<void> {
    return this.logMetrics({ [key]: value }, step)
  }

  async logMetrics(metrics: Readonly<Record<string, number>>, step = 0): Promise<void> {
    const timestamp = Date.now()
    const entries = Object.entries(metrics).map(([key, value]) => ({ key, value: numberToWire(value), timestamp, step }))
    for (const part of chunks(entries, METRICS_PER_CALL)) await this.#log({ metrics: part })
  }

  async setTag(key: string, value: string): Promise<void> {
    await this.#connection.put('POST', 'runs/set-tag', { run_id: this.id, key, value })
  }

  /** Puts a file at `path` among the run's artifacts. */
  async logArtifact(path: string, content: string | Uint8Array): Promise<void> {
    await this.#connection.upload(artifactPath(this.artifactUri, path), content)
  }

  /** Puts a model's files into the folder `path` and lists the model in the run. `files` is a model directory such as `lightgbmModel` makes. */
  async logModel(path: string, files: ReadonlyMap<string, Uint8Array | string>): Promise<void> {
    const mlmodel = files.get('MLmodel')
    if (mlmodel === undefined)
      throw new Error(
        `The model at "${path}" has no file "MLmodel", so nobody could load it. Its files are: ${[...files.keys()].join(', ') || 'none'}.`,
      )
    for (const [name, content] of files) await this.logArtifact(`${path}/${name}`, content)
    const description = {
      artifact_path: path,
      run_id: this.id,
      utc_time_created: new Date().toISOString().replace('T', ' ').replace('Z', '000'),
      flavors: flavorsOf(typeof mlmodel === 'string' ? mlmodel : new TextDecoder().decode(mlmodel)),
    }
    await this.#connection.create('runs/log-model', { run_id: this.id, model_json: JSON.stringify(description) })
  }

  async end(status: EndStatus = 'FINISHED'): Promise<void> {
    await this.#connection.put('POST', 'runs/update', { run_id: this.id, status, end_time: Date.now() })
  }

  async #log(batch: Readonly<Record<string, unknown>>): Promise<void> {
    await this.#connection.put('POST', 'runs/log-batch', { run_id: this.id, ...batch })
  }
}

interface WireRun {
  info: {
    run_id: string
    run_name?: string
    experiment_id: string
    status: string
    start_time?: number | string
    end_time?: number | string
    artifact_uri: string
  }
  data?: {
    metrics?: { key: string; value: number | string }[]
    params?: { key: string; value: string }[]
    tags?: { key: string; value: string }[]
  }
}

export function runOf({ info, data }: WireRun): RunInfo {
  const texts = (entries: readonly { key: string; value: string }[] = []) =>
    Object.fromEntries(entries.map(({ key, value }) => [key, value]))
  return {
    id: info.run_id,
    name: info.run_name ?? '',
    experimentId: info.experiment_id,
    status: info.status,
    startTime: Number(info.start_time ?? 0),
    endTime: info.end_time === undefined ? null : Number(info.end_time),
    artifactUri: info.artifact_uri,
    metrics: Object.fromEntries((data?.metrics ?? []).map(({ key, value }) => [key, Number(value)])),
    params: texts(data?.params),
    tags: texts(data?.tags),
  }
}

export type { WireRun }

const paramText = (value: ParamValue): string => (typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value))

/** JSON has no sign for NaN and the infinities; MLflow's has words. */
const numberToWire = (value: number): number | string => (Number.isFinite(value) ? value : String(value))

function* chunks<Item>(items: readonly Item[], size: number): Generator<readonly Item[]> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size)
}

/** The names under `flavors:` of an MLmodel file: what pages and tools look for in the list of a run's models. */
function flavorsOf(mlmodel: string): Record<string, object> {
  const [, section = ''] = /^flavors:\n((?: .*\n?)*)/m.exec(mlmodel) ?? []
  return Object.fromEntries([...section.matchAll(/^ {2}(\w+):/gm)].map(([, name]) => [name as string, {}]))
}
