/** Runs: one attempt at a model each, with what it was given, what it measured and what it made. */
import { AppError } from '../core/app-error.ts'
import type { Clock } from '../core/clock.ts'
import type { Events } from '../core/events.ts'
import { randomHex } from '../core/id.ts'
import type { Principal } from '../core/principal.ts'
import type { Experiments, LifecycleStage, SearchRequest, ViewType } from './experiment.ts'
import { parseFilter, parseOrder, type Searchable } from './filter.ts'
import { checkedLimit, MAX_RUN_TAG_VALUE, refuse, type Tag, tagProblems } from './limits.ts'
import { offsetOf, type Page, type Search } from './page.ts'
import {
  type Batch,
  batchProblems,
  type DatasetInput,
  datasetProblems,
  type Metric,
  type ModelLink,
  type RunData,
  type RunDataStore,
} from './run-data.ts'
import { randomRunName } from './run-name.ts'

export const RUN_STATUSES = ['RUNNING', 'SCHEDULED', 'FINISHED', 'FAILED', 'KILLED'] as const
export type RunStatus = (typeof RUN_STATUSES)[number]

/** The tag that keeps a run's name, and the one that lists the models it logged. */
export const RUN_NAME_TAG = 'mlflow.runName'
export const MODEL_HISTORY_TAG = 'mlflow.log-model.history'

export interface RunInfo {
  readonly id: string
  readonly name: string
  readonly experimentId: string
  readonly userId: string
  readonly status: RunStatus
  readonly startTime: number
  readonly endTime: number | null
  readonly lifecycleStage: LifecycleStage
  readonly artifactUri: string
  readonly createdBy: string
}

export interface Run extends RunInfo {
  readonly data: RunData
}

export type RunChange = Partial<Pick<RunInfo, 'name' | 'status' | 'endTime' | 'lifecycleStage'>>

export interface RunStore {
  create(run: RunInfo, tags: readonly Tag[]): Promise<void>
  find(id: string): Promise<Run | null>
  search(search: Search & { readonly experimentIds: readonly string[]; readonly view: ViewType }): Promise<Page<Run>>
  /** A new name is kept in the tag of the name too. */
  update(id: string, change: RunChange): Promise<void>
}

export const RUN_FIELDS: Searchable = {
  noun: 'runs',
  entities: ['attribute', 'metric', 'param', 'tag', 'dataset'],
  attributes: {
    run_id: 'id',
    run_name: 'text',
    status: 'text',
    user_id: 'text',
    artifact_uri: 'text',
    experiment_id: 'text',
    start_time: 'number',
    end_time: 'number',
  },
  synonyms: {
    created: 'start_time',
    Created: 'start_time',
    run_uuid: 'run_id',
    'run name': 'run_name',
    'Run name': 'run_name',
    runName: 'run_name',
    id: 'run_id',
  },
  datasetKeys: ['name', 'digest', 'context'],
}

export interface RunsOptions {
  readonly store: RunStore
  readonly data: RunDataStore
  readonly experiments: Experiments
  readonly clock: Clock
  readonly events: Events
}

export class Runs {
  #store: RunStore
  #data: RunDataStore
  #experiments: Experiments
  #clock: Clock
  #events: Events

  constructor({ store, data, experiments, clock, events }: RunsOptions) {
    this.#store = store
    this.#data = data
    this.#experiments = experiments
    this.#clock = clock
    this.#events = events
  }

  async create(
    given: { experimentId: string; userId?: string; name?: string; startTime?: number; tags?: readonly Tag[] },
    who: Principal,
  ): Promise<Run> {
    const { tags = [] } = given
    refuse('The run cannot be created', [...tagProblems(tags, MAX_RUN_TAG_VALUE), ...nameProblems(given.name, tags)])
    const experiment = await this.#experiments.getActive(given.experimentId)
    const id = randomHex(16)
    const name = given.name || tags.find((tag) => tag.key === RUN_NAME_TAG)?.value || randomRunName()
    const info: RunInfo = {
      id,
      name,
      experimentId: experiment.id,
      userId: given.userId || who.subject,
      status: 'RUNNING',
      startTime: given.startTime ?? this.#clock.now().getTime(),
      endTime: null,
      lifecycleStage: 'active',
      artifactUri: `${experiment.artifactLocation.replace(/\/$/, '')}/${id}/artifacts`,
      createdBy: who.subject,
    }
    await this.#store.create(info, [...tags.filter((tag) => tag.key !== RUN_NAME_TAG), { key: RUN_NAME_TAG, value: name }])
    this.#tell(info, experiment.name)
    return this.get(id)
  }

  /** Deleted ones too. Throws `not_found`. */
  async get(id: string): Promise<Run> {
    const run = await this.#store.find(id)
    if (!run) throw new AppError('not_found', `Run with id=${id} not found. Search for runs to see which there are.`)
    return run
  }

  async search(request: SearchRequest & { experimentIds: readonly string[]; view?: ViewType }): Promise<Page<Run>> {
    return this.#store.search({
      experimentIds: request.experimentIds,
      where: parseFilter(request.filter, RUN_FIELDS),
      order: parseOrder(request.orderBy ?? [], RUN_FIELDS),
      limit: checkedLimit(request.maxResults, 1000, 50_000),
      offset: offsetOf(request.pageToken),
      view: request.view ?? 'ACTIVE_ONLY',
    })
  }

  async update(id: string, change: Pick<RunChange, 'name' | 'status' | 'endTime'>): Promise<Run> {
    await this.#getActive(id)
    await this.#store.update(id, change)
    const run = await this.get(id)
    this.#tell(run, (await this.#experiments.get(run.experimentId)).name)
    return run
  }

  async setLifecycleStage(id: string, lifecycleStage: LifecycleStage): Promise<void> {
    await this.get(id)
    await this.#store.update(id, { lifecycleStage })
  }

  /** Writes all of it or nothing; sent twice it is written once. */
  async log(id: string, batch: Partial<Batch>): Promise<void> {
    const whole: Batch = { metrics: batch.metrics ?? [], params: batch.params ?? [], tags: batch.tags ?? [] }
    refuse(`The run ${id} cannot log this`, batchProblems(whole))
    const run = await this.#getActive(id)
    const added = await this.#data.log(id, whole)
    for (const { key, value } of added.params) this.#events.emit('param.logged', run.createdBy, { runId: id, key, value })
    for (const { key, value, step } of added.metrics) this.#events.emit('metric.logged', run.createdBy, { runId: id, key, value, step })
  }

  async deleteTag(id: string, key: string): Promise<void> {
    await this.#getActive(id)
    if (!(await this.#data.deleteTag(id, key))) throw new AppError('not_found', `No tag with name: ${key} in run with id ${id}.`)
  }

  /** Adds a model's description (the JSON of its MLmodel) to the run's list of models, as clients before 3.0 do. */
  async logModel(id: string, modelJson: string): Promise<void> {
    const model = parsedModel(modelJson)
    await this.#getActive(id)
    await this.#data.appendModel(id, model)
  }

  async history(id: string, key: string, { maxResults, pageToken }: SearchRequest): Promise<Page<Metric>> {
    await this.get(id)
    return this.#data.history(id, key, checkedLimit(maxResults, 25_000, 25_000), offsetOf(pageToken))
  }

  async addInputs(id: string, datasets: readonly DatasetInput[], models: readonly ModelLink[]): Promise<void> {
    refuse(`The run ${id} cannot log these inputs`, datasetProblems(datasets))
    await this.#getActive(id)
    await this.#data.addInputs(id, datasets, models)
  }

  async addOutputs(id: string, models: readonly ModelLink[]): Promise<void> {
    await this.#getActive(id)
    await this.#data.addOutputs(id, models)
  }

  async #getActive(id: string): Promise<Run> {
    const run = await this.get(id)
    if (run.lifecycleStage === 'active') return run
    throw new AppError('invalid', `The run ${id} must be in the 'active' state. Current state is deleted. Restore it first.`)
  }

  #tell({ id, name, status, createdBy }: RunInfo, experiment: string): void {
    this.#events.emit('experiment_run.changed', createdBy, { experiment, runId: id, runName: name, status })
  }
}

function nameProblems(name: string | undefined, tags: readonly Tag[]): string[] {
  const tagged = tags.find((tag) => tag.key === RUN_NAME_TAG)?.value
  return name && tagged && name !== tagged
    ? [`Both 'run_name' and the tag '${RUN_NAME_TAG}' were given, and they differ: '${name}' and '${tagged}'. Give one of them.`]
    : []
}

function parsedModel(json: string): object {
  let model: unknown
  try {
    model = JSON.parse(json)
  } catch (cause) {
    throw new AppError('invalid', 'Malformed model info: model_json is not valid JSON.', { cause })
  }
  const needed = ['artifact_path', 'flavors', 'utc_time_created', 'run_id']
  const missing = typeof model === 'object' && model !== null ? needed.filter((key) => !(key in model)) : needed
  refuse('Model json is missing mandatory fields', missing)
  return model as object
}
