/** Logged models (MLflow 3): a model that a run made, with files, params and metrics of its own, registered or not. */
import { AppError } from '../core/app-error.ts'
import type { Clock } from '../core/clock.ts'
import { randomHex } from '../core/id.ts'
import type { Principal } from '../core/principal.ts'
import type { Experiments, SearchRequest } from './experiment.ts'
import { parseFilter, parseOrder, type Searchable } from './filter.ts'
import { checkedLimit, MAX_RUN_TAG_VALUE, refuse, type Tag, type TagChanges, tagChanges, tagProblems } from './limits.ts'
import { offsetOf, type Page, type Search } from './page.ts'
import { changedParamProblems, type Metric, type Param, paramProblems } from './run-data.ts'

export const LOGGED_MODEL_STATUSES = ['LOGGED_MODEL_PENDING', 'LOGGED_MODEL_READY', 'LOGGED_MODEL_UPLOAD_FAILED'] as const
export type LoggedModelStatus = (typeof LOGGED_MODEL_STATUSES)[number]

export interface LoggedModelMetric extends Metric {
  readonly runId: string
}

export interface LoggedModel {
  readonly id: string
  readonly experimentId: string
  readonly name: string
  readonly createdAt: number
  readonly updatedAt: number
  readonly artifactUri: string
  readonly status: LoggedModelStatus
  readonly modelType: string | null
  readonly sourceRunId: string | null
  readonly createdBy: string
  readonly tags: readonly Tag[]
  readonly params: readonly Param[]
  readonly metrics: readonly LoggedModelMetric[]
  readonly registrations: readonly { readonly name: string; readonly version: number }[]
}

export interface LoggedModelChange {
  readonly status?: LoggedModelStatus
  readonly tags?: TagChanges
  /** Added to those there are. */
  readonly params?: readonly Param[]
  readonly updatedAt: number
}

export interface LoggedModelStore {
  create(model: Omit<LoggedModel, 'metrics' | 'registrations'>): Promise<void>
  find(id: string): Promise<LoggedModel | null>
  search(search: Search & { readonly experimentIds: readonly string[] }): Promise<Page<LoggedModel>>
  update(id: string, change: LoggedModelChange): Promise<void>
  delete(id: string): Promise<void>
}

const LOGGED_MODEL_FIELDS: Searchable = {
  noun: 'logged models',
  entities: ['attribute', 'metric', 'param', 'tag'],
  attributes: {
    name: 'id',
    model_id: 'id',
    model_type: 'id',
    status: 'id',
    source_run_id: 'id',
    creation_timestamp: 'number',
    last_updated_timestamp: 'number',
  },
  synonyms: {
    creation_time: 'creation_timestamp',
    last_updated_time: 'last_updated_timestamp',
    creation_timestamp_ms: 'creation_timestamp',
    last_updated_timestamp_ms: 'last_updated_timestamp',
  },
}

export interface LoggedModelsOptions {
  readonly store: LoggedModelStore
  readonly experiments: Experiments
  readonly clock: Clock
}

export class LoggedModels {
  #store: LoggedModelStore
  #experiments: Experiments
  #clock: Clock

  constructor({ store, experiments, clock }: LoggedModelsOptions) {
    this.#store = store
    this.#experiments = experiments
    this.#clock = clock
  }

  async create(
    given: {
      experimentId: string
      name?: string
      modelType?: string
      sourceRunId?: string
      params?: readonly Param[]
      tags?: readonly Tag[]
    },
    who: Principal,
  ): Promise<LoggedModel> {
    const { params = [], tags = [], name = '' } = given
    refuse('The logged model cannot be created', [
      ...(/[/:.%"']/.test(name) ? [`The name "${name}" may hold no slash, colon, period, percent sign or quote.`] : []),
      ...params.flatMap(paramProblems),
      ...tagProblems(tags, MAX_RUN_TAG_VALUE),
    ])
    const experiment = await this.#experiments.getActive(given.experimentId)
    const id = `m-${randomHex(16)}`
    const now = this.#clock.now().getTime()
    await this.#store.create({
      id,
      experimentId: experiment.id,
      name: name || id,
      createdAt: now,
      updatedAt: now,
      artifactUri: `${experiment.artifactLocation.replace(/\/$/, '')}/models/${id}/artifacts`,
      status: 'LOGGED_MODEL_PENDING',
      modelType: given.modelType || null,
      sourceRunId: given.sourceRunId || null,
      createdBy: who.subject,
      tags,
      params,
    })
    return this.get(id)
  }

  async get(id: string): Promise<LoggedModel> {
    const model = await this.#store.find(id)
    if (!model) throw new AppError('not_found', `Logged model with ID '${id}' not found.`)
    return model
  }

  search(request: SearchRequest & { experimentIds: readonly string[] }): Promise<Page<LoggedModel>> {
    return this.#store.search({
      experimentIds: request.experimentIds,
      where: parseFilter(request.filter, LOGGED_MODEL_FIELDS),
      order: parseOrder(request.orderBy ?? [], LOGGED_MODEL_FIELDS),
      limit: checkedLimit(request.maxResults, 50, 100),
      offset: offsetOf(request.pageToken),
    })
  }

  /** Says how the upload of its files ended. */
  async finalize(id: string, status: LoggedModelStatus): Promise<LoggedModel> {
    return this.#update(id, { status })
  }

  async setTags(id: string, tags: readonly Tag[]): Promise<LoggedModel> {
    refuse(`The logged model ${id} cannot be tagged`, tagProblems(tags, MAX_RUN_TAG_VALUE))
    return this.#update(id, { tags: tagChanges(tags) })
  }

  async deleteTag(id: string, key: string): Promise<void> {
    const model = await this.get(id)
    if (!model.tags.some((tag) => tag.key === key)) throw new AppError('not_found', `The logged model ${id} has no tag "${key}".`)
    await this.#update(id, { tags: { [key]: null } })
  }

  async addParams(id: string, params: readonly Param[]): Promise<void> {
    const known = new Map((await this.get(id)).params.map(({ key, value }) => [key, value]))
    refuse(`The logged model ${id} cannot take these params`, [...params.flatMap(paramProblems), ...changedParamProblems(known, params)])
    await this.#update(id, { params })
  }

  async delete(id: string): Promise<void> {
    await this.get(id)
    await this.#store.delete(id)
  }

  async #update(id: string, change: Omit<LoggedModelChange, 'updatedAt'>): Promise<LoggedModel> {
    await this.get(id)
    await this.#store.update(id, { ...change, updatedAt: this.#clock.now().getTime() })
    return this.get(id)
  }
}
