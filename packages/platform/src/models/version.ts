/** Model versions: what was registered, from which run, and the stage it has reached. */
import { AppError } from '../core/app-error.ts'
import type { Clock } from '../core/clock.ts'
import type { Events } from '../core/events.ts'
import type { Principal } from '../core/principal.ts'
import { joinPath, pathOfUri } from './artifact.ts'
import type { SearchRequest } from './experiment.ts'
import { parseFilter, parseOrder, type Searchable } from './filter.ts'
import { checkedLimit, MAX_REGISTRY_TAG_VALUE, refuse, type Tag, type TagChanges, tagChanges, tagProblems } from './limits.ts'
import type { LoggedModels } from './logged-model.ts'
import { offsetOf, type Page, type Search } from './page.ts'
import type { RegisteredModels } from './registered-model.ts'
import type { RunStore } from './run.ts'
import { isInUse, parseStage, type Stage } from './stage.ts'

export interface Version {
  readonly name: string
  readonly version: number
  readonly createdAt: number
  readonly updatedAt: number
  readonly createdBy: string
  readonly stage: Stage
  readonly description: string
  /** As the client gave it; `location` is where the files are. */
  readonly source: string
  readonly location: string
  readonly runId: string | null
  readonly runLink: string
  readonly modelId: string | null
  readonly tags: readonly Tag[]
  readonly aliases: readonly string[]
}

export interface VersionStore {
  /** Gives it the next number of its model, never one that was used before. */
  create(version: Omit<Version, 'version' | 'aliases'>): Promise<Version>
  find(name: string, version: number): Promise<Version | null>
  search(search: Search): Promise<Page<Version>>
  /** The newest version of each stage that has one. */
  latest(name: string): Promise<Version[]>
  /** Moves the version and, when asked to, archives the others of that stage; answers all that changed, the version last. */
  transition(name: string, version: number, stage: Stage, archiveOthers: boolean, updatedAt: number): Promise<Version[]>
  update(name: string, version: number, change: { description?: string; tags?: TagChanges; updatedAt: number }): Promise<void>
  delete(name: string, version: number): Promise<void>
}

export const VERSION_FIELDS: Searchable = {
  noun: 'model versions',
  entities: ['attribute', 'tag'],
  attributes: {
    name: 'id',
    run_id: 'id',
    source_path: 'id',
    version_number: 'number',
    creation_timestamp: 'number',
    last_updated_timestamp: 'number',
    current_stage: 'id',
  },
  synonyms: { version: 'version_number', source: 'source_path' },
}

export interface NewVersion {
  readonly name: string
  readonly source: string
  readonly runId?: string | undefined
  readonly runLink?: string | undefined
  readonly modelId?: string | undefined
  readonly description?: string | undefined
  readonly tags?: readonly Tag[] | undefined
}

export interface VersionsOptions {
  readonly store: VersionStore
  readonly registeredModels: RegisteredModels
  readonly loggedModels: LoggedModels
  readonly runs: RunStore
  readonly clock: Clock
  readonly events: Events
}

export class Versions {
  #store: VersionStore
  #registeredModels: RegisteredModels
  #loggedModels: LoggedModels
  #runs: RunStore
  #clock: Clock
  #events: Events

  constructor({ store, registeredModels, loggedModels, runs, clock, events }: VersionsOptions) {
    this.#store = store
    this.#registeredModels = registeredModels
    this.#loggedModels = loggedModels
    this.#runs = runs
    this.#clock = clock
    this.#events = events
  }

  /** Throws `not_found` when there is no such registered model, run or logged model; `invalid` when `source` cannot be kept. */
  async create(given: NewVersion, who: Principal): Promise<Version> {
    const { name, source, runId, modelId, tags = [] } = given
    refuse(`The version of "${name}" cannot be created`, tagProblems(tags, MAX_REGISTRY_TAG_VALUE))
    await this.#registeredModels.get(name)
    const fromModel = modelId || modelIdOf(source)
    const model = fromModel ? await this.#loggedModels.get(fromModel) : null
    const now = this.#clock.now().getTime()
    const version = await this.#store.create({
      name,
      createdAt: now,
      updatedAt: now,
      createdBy: who.subject,
      stage: 'None',
      description: given.description ?? '',
      source,
      location: await this.#locationOf(source),
      runId: runId || model?.sourceRunId || null,
      runLink: given.runLink ?? '',
      modelId: fromModel ?? null,
      tags,
    })
    await this.#tell(version)
    return version
  }

  async get(name: string, version: number): Promise<Version> {
    const found = await this.#store.find(name, version)
    if (found) return found
    await this.#registeredModels.get(name)
    throw new AppError('not_found', `Model Version (name=${name}, version=${version}) not found.`)
  }

  async getByAlias(name: string, alias: string): Promise<Version> {
    return this.get(name, await this.#registeredModels.versionOfAlias(name, alias))
  }

  /** Points `alias` at a version that is there. */
  async setAlias(name: string, alias: string, version: number): Promise<void> {
    await this.get(name, version)
    await this.#registeredModels.setAlias(name, alias, version)
  }

  search({ filter, orderBy = [], maxResults, pageToken }: SearchRequest): Promise<Page<Version>> {
    return this.#store.search({
      where: parseFilter(filter, VERSION_FIELDS),
      order: parseOrder(orderBy, VERSION_FIELDS),
      limit: checkedLimit(maxResults, 10_000, 200_000),
      offset: offsetOf(pageToken),
    })
  }

  /** The newest version of each of `stages`; of every stage when none is named. */
  async latest(name: string, stages: readonly string[] = []): Promise<Version[]> {
    const wanted = new Set(stages.map(parseStage))
    await this.#registeredModels.get(name)
    return (await this.#store.latest(name)).filter(({ stage }) => wanted.size === 0 || wanted.has(stage))
  }

  /** Throws `invalid` for a stage that does not exist, or when others are to be archived for one that is not in use. */
  async transition(name: string, version: number, stageText: string, archiveOthers: boolean): Promise<Version> {
    const stage = parseStage(stageText)
    if (archiveOthers && !isInUse(stage))
      throw new AppError(
        'invalid',
        `Model version transition cannot archive existing model versions because '${stage}' is not an Active stage. Valid stages are Staging, Production.`,
      )
    await this.get(name, version)
    const changed = await this.#store.transition(name, version, stage, archiveOthers, this.#clock.now().getTime())
    for (const each of changed) await this.#tell(each)
    return this.get(name, version)
  }

  async describe(name: string, version: number, description: string): Promise<Version> {
    return this.#update(name, version, { description })
  }

  async setTag(name: string, version: number, tag: Tag): Promise<void> {
    refuse(`Version ${version} of "${name}" cannot be tagged`, tagProblems([tag], MAX_REGISTRY_TAG_VALUE))
    await this.#update(name, version, { tags: tagChanges([tag]) })
  }

  async deleteTag(name: string, version: number, key: string): Promise<void> {
    await this.#update(name, version, { tags: { [key]: null } })
  }

  async delete(name: string, version: number): Promise<void> {
    await this.get(name, version)
    await this.#store.delete(name, version)
  }

  async #update(name: string, version: number, change: { description?: string; tags?: TagChanges }): Promise<Version> {
    await this.get(name, version)
    await this.#store.update(name, version, { ...change, updatedAt: this.#clock.now().getTime() })
    return this.get(name, version)
  }

  /** Where the files of `source` are: a run's, a logged model's or another version's artifacts, or the place that it names itself. */
  async #locationOf(source: string): Promise<string> {
    const [, runId, path = ''] = /^runs:\/+([^/]+)\/?(.*)$/.exec(source) ?? []
    if (runId) {
      const run = await this.#runs.find(runId)
      if (!run) throw new AppError('not_found', `Run with id=${runId} not found, which is the source of the version.`)
      return joinPath(run.artifactUri, checkedSource(path))
    }
    const modelId = modelIdOf(source)
    if (modelId) return (await this.#loggedModels.get(modelId)).artifactUri
    const [, name, version] = /^models:\/+([^/@]+)\/(\d+)$/.exec(source) ?? []
    if (name && version) return (await this.get(name, Number(version))).location
    if (source.startsWith('mlflow-artifacts:')) {
      pathOfUri(source)
      return source
    }
    const scheme = /^([a-z][a-z0-9+.-]+):\//i.exec(source)?.[1]?.toLowerCase()
    if (!scheme || scheme === 'file' || scheme === 'models')
      throw new AppError(
        'invalid',
        `Invalid model version source: '${source}'. Give the artifacts of a run or a logged model (mlflow-artifacts:/…, runs:/RUN/PATH, models:/m-…) or the URI of another store.`,
      )
    return checkedSource(source)
  }

  async #tell({ name, version, stage, runId, createdBy }: Version): Promise<void> {
    const run = runId ? await this.#runs.find(runId) : null
    const metrics = Object.fromEntries((run?.data.metrics ?? []).map(({ key, value }) => [key, value]))
    this.#events.emit('model_version.changed', createdBy, { name, version: String(version), stage, runId: runId ?? '', metrics })
  }
}

const modelIdOf = (source: string): string | undefined => /^models:\/+(m-[0-9a-zA-Z]+)$/.exec(source)?.[1]

function checkedSource(source: string): string {
  let plain = source
  // A path may be encoded more than once to hide where it leads.
  for (let depth = 0; depth < 5 && /%[0-9a-f]{2}/i.test(plain); depth++)
    plain = plain.replace(/%([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)))
  if (plain.split(/[/\\]/).includes('..') || plain.includes('\0'))
    throw new AppError('invalid', `Invalid model version source: '${source}'. It may hold no "..".`)
  return source
}
