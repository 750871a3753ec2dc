/** Experiments: the named places that runs belong to. */
import { AppError, didYouMean } from '../core/app-error.ts'
import type { Clock } from '../core/clock.ts'
import type { Principal } from '../core/principal.ts'
import { parseFilter, parseOrder, type Searchable } from './filter.ts'
import {
  checkedLimit,
  lengthProblems,
  MAX_EXPERIMENT_NAME,
  MAX_EXPERIMENT_TAG_VALUE,
  refuse,
  type Tag,
  type TagChanges,
  tagChanges,
  tagProblems,
} from './limits.ts'
import { offsetOf, type Page, type Search } from './page.ts'

export type LifecycleStage = 'active' | 'deleted'

/** Which of the kept and the deleted ones a search looks at. */
export type ViewType = 'ACTIVE_ONLY' | 'DELETED_ONLY' | 'ALL'

/** Times are milliseconds since 1970, as clients send and compare them. */
export interface Experiment {
  readonly id: string
  readonly name: string
  readonly artifactLocation: string
  readonly lifecycleStage: LifecycleStage
  readonly createdAt: number
  readonly updatedAt: number
  readonly createdBy: string
  readonly tags: readonly Tag[]
}

export interface ExperimentChange {
  readonly name?: string
  readonly lifecycleStage?: LifecycleStage
  readonly tags?: TagChanges
  readonly updatedAt: number
}

export interface ExperimentStore {
  /** Gives it the next id; an empty `artifactLocation` becomes the one of `artifactLocationOf(id)`. Throws `conflict` when the name is taken. */
  create(experiment: Omit<Experiment, 'id'>): Promise<Experiment>
  find(id: string): Promise<Experiment | null>
  findByName(name: string): Promise<Experiment | null>
  search(search: Search & { readonly view: ViewType }): Promise<Page<Experiment>>
  /** Throws `conflict` when the new name is taken. */
  update(id: string, change: ExperimentChange): Promise<void>
}

export const DEFAULT_EXPERIMENT_ID = '0'
export const artifactLocationOf = (experimentId: string): string => `mlflow-artifacts:/${experimentId}`

const EXPERIMENT_FIELDS: Searchable = {
  noun: 'experiments',
  entities: ['attribute', 'tag'],
  attributes: { name: 'text', experiment_id: 'id', creation_time: 'number', last_update_time: 'number' },
}

export interface SearchRequest {
  readonly filter?: string | undefined
  readonly orderBy?: readonly string[] | undefined
  readonly maxResults?: number | undefined
  readonly pageToken?: string | undefined
}

export class Experiments {
  #store: ExperimentStore
  #clock: Clock

  constructor({ store, clock }: { readonly store: ExperimentStore; readonly clock: Clock }) {
    this.#store = store
    this.#clock = clock
  }

  /** Throws `invalid` for a bad name or tag, `conflict` when the name is taken, also by a deleted one. */
  async create(
    { name, artifactLocation = '', tags = [] }: { name: string; artifactLocation?: string; tags?: readonly Tag[] },
    who: Principal,
  ): Promise<Experiment> {
    refuse(`The experiment "${name}" cannot be created`, [...nameProblems(name), ...tagProblems(tags, MAX_EXPERIMENT_TAG_VALUE)])
    const now = this.#clock.now().getTime()
    return this.#store.create({
      name,
      artifactLocation,
      lifecycleStage: 'active',
      createdAt: now,
      updatedAt: now,
      createdBy: who.subject,
      tags,
    })
  }

  /** Deleted ones too. Throws `not_found`. */
  async get(id: string): Promise<Experiment> {
    const experiment = await this.#store.find(id)
    if (!experiment) throw new AppError('not_found', `No Experiment with id=${id} exists. Search for experiments to see which there are.`)
    return experiment
  }

  async getByName(name: string): Promise<Experiment> {
    const experiment = await this.#store.findByName(name)
    if (experiment) return experiment
    const { items } = await this.#store.search({ where: [], order: [], limit: 100, offset: 0, view: 'ACTIVE_ONLY' })
    const others = items.map((item) => item.name)
    throw new AppError('not_found', `Could not find experiment with name '${name}'.${didYouMean(name, others)}`)
  }

  /** Throws `invalid` when it is deleted: nothing may be added to it then. */
  async getActive(id: string): Promise<Experiment> {
    const experiment = await this.get(id)
    if (experiment.lifecycleStage !== 'active')
      throw new AppError('invalid', `The experiment ${id} must be in the 'active' state, and it is deleted. Restore it first.`)
    return experiment
  }

  search({
    filter,
    orderBy = [],
    maxResults,
    pageToken,
    view = 'ACTIVE_ONLY',
  }: SearchRequest & { view?: ViewType }): Promise<Page<Experiment>> {
    return this.#store.search({
      where: parseFilter(filter, EXPERIMENT_FIELDS),
      order: parseOrder(orderBy, EXPERIMENT_FIELDS),
      limit: checkedLimit(maxResults, 1000, 50_000),
      offset: offsetOf(pageToken),
      view,
    })
  }

  async rename(id: string, name: string): Promise<void> {
    refuse(`The experiment ${id} cannot be renamed`, nameProblems(name))
    await this.getActive(id)
    await this.#store.update(id, { name, updatedAt: this.#clock.now().getTime() })
  }

  async setLifecycleStage(id: string, lifecycleStage: LifecycleStage): Promise<void> {
    await this.get(id)
    if (id === DEFAULT_EXPERIMENT_ID && lifecycleStage === 'deleted')
      throw new AppError('invalid', 'The default experiment cannot be deleted.')
    await this.#store.update(id, { lifecycleStage, updatedAt: this.#clock.now().getTime() })
  }

  async setTag(id: string, tag: Tag): Promise<void> {
    refuse(`The experiment ${id} cannot be tagged`, tagProblems([tag], MAX_EXPERIMENT_TAG_VALUE))
    await this.getActive(id)
    await this.#store.update(id, { tags: tagChanges([tag]), updatedAt: this.#clock.now().getTime() })
  }

  async deleteTag(id: string, key: string): Promise<void> {
    const experiment = await this.getActive(id)
    if (!experiment.tags.some((tag) => tag.key === key)) throw new AppError('not_found', `The experiment ${id} has no tag "${key}".`)
    await this.#store.update(id, { tags: { [key]: null }, updatedAt: this.#clock.now().getTime() })
  }
}

const nameProblems = (name: string): string[] =>
  name.trim() === '' ? ['Its name is empty.'] : lengthProblems('Its name', name, MAX_EXPERIMENT_NAME)
