/** The client: experiments and runs to log to, models to register, promote and fetch. */
import { artifactPath, Connection } from './connection.ts'
import { isMissing, isTaken } from './error.ts'
import { type DownloadedModel, downloadModel, newestVersion } from './model-download.ts'
import { Run, type RunInfo, runOf, type WireRun } from './run.ts'
import { type Version, versionOf, type WireVersion } from './version.ts'

export interface MlflowClientOptions {
  /** Where the server is: `http://127.0.0.1:8080`. */
  readonly trackingUri?: string | undefined
  readonly token?: string | undefined
  /** Ends every call of this client. */
  readonly signal?: AbortSignal | undefined
  /** How often a call that may be repeated is tried while the server is busy or away. */
  readonly tries?: number
  /** The rest after the first try; it doubles after each one. */
  readonly restMs?: number
}

export interface NewRun {
  readonly experimentId: string
  readonly runName?: string
  readonly tags?: Readonly<Record<string, string>>
}

export interface NewVersion {
  readonly name: string
  readonly runId: string
  /** The folder of the model among the run's artifacts. */
  readonly path: string
  readonly tags?: Readonly<Record<string, string>>
  readonly description?: string
}

export interface Transition {
  readonly name: string
  readonly version: string
  /** None, Staging, Production or Archived. */
  readonly stage: string
  /** Whether the versions that are in this stage now are archived. */
  readonly archiveExisting: boolean
}

/**
 * Talks to an MLflow server.
 *
 * ```ts
 * const client = new MlflowClient()
 * const run = await client.startRun({ experimentId: await client.setExperiment('purchase_predict') })
 * await run.logMetric('auc', 0.76)
 * await run.end()
 * ```
 */
export class MlflowClient {
  #connection: Connection

  constructor({
    trackingUri = process.env.MLFLOW_TRACKING_URI,
    token = process.env.MLFLOW_TRACKING_TOKEN,
    ...rest
  }: MlflowClientOptions = {}) {
    if (!trackingUri) throw new Error('MlflowClient knows no server: MLFLOW_TRACKING_URI is not set. Set it, or give trackingUri.')
    if (!/^https?:\/\//.test(trackingUri))
      throw new Error(`MlflowClient cannot use the tracking URI "${trackingUri}": it must begin with http:// or https://.`)
    this.#connection = new Connection({ trackingUri, token, ...rest })
  }

  /** The id of the experiment `name`, which is created when it is missing. */
  async setExperiment(name: string): Promise<string> {
    const known = await this.#experimentId(name)
    if (known !== null) return known
    try {
      return (await this.#connection.create<{ experiment_id: string }>('experiments/create', { name })).experiment_id
    } catch (error) {
      // Somebody else may have created it in between.
      const id = isTaken(error) ? await this.#experimentId(name) : null
      if (id === null) throw error
      return id
    }
  }

  async startRun({ experimentId, runName, tags = {} }: NewRun): Promise<Run> {
    const { run } = await this.#connection.create<{ run: WireRun }>('runs/create', {
      experiment_id: experimentId,
      start_time: Date.now(),
      tags: listed(tags),
      ...(runName ? { run_name: runName } : {}),
    })
    return new Run(this.#connection, runOf(run))
  }

  /** A run that was started before, to log more to it. */
  async resumeRun(id: string): Promise<Run> {
    return new Run(this.#connection, await this.getRun(id))
  }

  async getRun(id: string): Promise<RunInfo> {
    return runOf((await this.#connection.get<{ run: WireRun }>('runs/get', { run_id: id })).run)
  }

  /** Makes a new version of `name` from a model that a run logged. The registered model is created when it is missing. */
  async registerModel({ name, runId, path, tags = {}, description }: NewVersion): Promise<{ name: string; version: string }> {
    const run = await this.getRun(runId)
    await this.#connection.put('POST', 'registered-models/create', { name }).catch((error: unknown) => {
      if (!isTaken(error)) throw error
    })
    const { model_version } = await this.#connection.create<{ model_version: WireVersion }>('model-versions/create', {
      name,
      source: `${run.artifactUri}/${path}`,
      run_id: runId,
      tags: listed(tags),
      ...(description === undefined ? {} : { description }),
    })
    return { name, version: versionOf(model_version).version }
  }

  async transitionStage({ name, version, stage, archiveExisting }: Transition): Promise<Version> {
    const fields = { name, version, stage, archive_existing_versions: archiveExisting }
    const { model_version } = await this.#connection.put<{ model_version: WireVersion }>('POST', 'model-versions/transition-stage', fields)
    return versionOf(model_version)
  }

  /** Points `alias` at the version, wherever it pointed before. */
  async setAlias(name: string, alias: string, version: string): Promise<void> {
    await this.#connection.put('POST', 'registered-models/alias', { name, alias, version })
  }

  /** The newest version in `stage`; null when there is none, also when there is no such model yet. */
  async latestVersion(name: string, stage: string): Promise<Version | null> {
    return newestVersion(this.#connection, name, stage).catch((error: unknown) => {
      if (isMissing(error)) return null
      throw error
    })
  }

  /** A registered model by `models:/NAME/STAGE`, `models:/NAME/3`, `models:/NAME/latest` or `models:/NAME@alias`, with all its files. */
  downloadModel(uri: string): Promise<DownloadedModel> {
    return downloadModel(this.#connection, uri)
  }

  /** The file at `path` among the artifacts of a run. */
  async downloadArtifact(runId: string, path: string): Promise<Uint8Array> {
    const { artifactUri } = await this.getRun(runId)
    return this.#connection.download(artifactPath(artifactUri, path))
  }

  async #experimentId(name: string): Promise<string | null> {
    try {
      const answer = await this.#connection.get<{ experiment: { experiment_id: string; lifecycle_stage?: string } }>(
        'experiments/get-by-name',
        {
          experiment_name: name,
        },
      )
      if (answer.experiment.lifecycle_stage === 'deleted')
        throw new Error(`The experiment "${name}" is deleted. Restore it on the server, or choose another name.`)
      return answer.experiment.experiment_id
    } catch (error) {
      if (isMissing(error)) return null
      throw error
    }
  }
}

const listed = (tags: Readonly<Record<string, string>>) => Object.entries(tags).map(([key, value]) => ({ key, value }))
