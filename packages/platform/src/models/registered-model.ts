/** Registered models: a name under which versions are kept, with the aliases that point at them. */
import { AppError, didYouMean } from '../core/app-error.ts'
import type { Clock } from '../core/clock.ts'
import type { Principal } from '../core/principal.ts'
import { type Alias, checkAlias } from './alias.ts'
import type { SearchRequest } from './experiment.ts'
import { parseFilter, parseOrder, type Searchable } from './filter.ts'
import { checkedLimit, MAX_REGISTRY_TAG_VALUE, refuse, type Tag, type TagChanges, tagChanges, tagProblems } from './limits.ts'
import { offsetOf, type Page, type Search } from './page.ts'

export interface RegisteredModel {
  readonly name: string
  readonly createdAt: number
  readonly updatedAt: number
  readonly createdBy: string
  readonly description: string
  readonly tags: readonly Tag[]
  readonly aliases: readonly Alias[]
}

export interface RegisteredModelChange {
  readonly name?: string
  readonly description?: string
  readonly tags?: TagChanges
  readonly updatedAt: number
}

export interface RegisteredModelStore {
  /** Throws `conflict` when the name is taken. */
  create(model: Omit<RegisteredModel, 'aliases'>): Promise<void>
  find(name: string): Promise<RegisteredModel | null>
  search(search: Search): Promise<Page<RegisteredModel>>
  /** Throws `conflict` when the new name is taken. Its versions go along. */
  update(name: string, change: RegisteredModelChange): Promise<void>
  /** With its versions. */
  delete(name: string): Promise<void>
  /** Moves the alias to `version`, or takes it away when that is null. */
  setAlias(name: string, alias: string, version: number | null): Promise<void>
}

const REGISTERED_MODEL_FIELDS: Searchable = {
  noun: 'registered models',
  entities: ['attribute', 'tag'],
  attributes: { name: 'id', creation_timestamp: 'number', last_updated_timestamp: 'number' },
  synonyms: { timestamp: 'last_updated_timestamp' },
}

export class RegisteredModels {
  #store: RegisteredModelStore
  #clock: Clock

  constructor({ store, clock }: { readonly store: RegisteredModelStore; readonly clock: Clock }) {
    this.#store = store
    this.#clock = clock
  }

  async create(
    { name, description = '', tags = [] }: { name: string; description?: string; tags?: readonly Tag[] },
    who: Principal,
  ): Promise<RegisteredModel> {
    refuse(`The model "${name}" cannot be registered`, [...modelNameProblems(name), ...tagProblems(tags, MAX_REGISTRY_TAG_VALUE)])
    const now = this.#clock.now().getTime()
    await this.#store.create({ name, createdAt: now, updatedAt: now, createdBy: who.subject, description, tags })
    return this.get(name)
  }

  async get(name: string): Promise<RegisteredModel> {
    const model = await this.#store.find(name)
    if (model) return model
    const { items } = await this.#store.search({ where: [], order: [], limit: 100, offset: 0 })
    const others = items.map((item) => item.name)
    throw new AppError('not_found', `Registered Model with name=${name} not found.${didYouMean(name, others)}`)
  }

  search({ filter, orderBy = [], maxResults, pageToken }: SearchRequest): Promise<Page<RegisteredModel>> {
    return this.#store.search({
      where: parseFilter(filter, REGISTERED_MODEL_FIELDS),
      order: parseOrder(orderBy, REGISTERED_MODEL_FIELDS),
      limit: checkedLimit(maxResults, 100, 1000),
      offset: offsetOf(pageToken),
    })
  }

  async rename(name: string, newName: string): Promise<RegisteredModel> {
    refuse(`The model "${name}" cannot be renamed`, modelNameProblems(newName))
    return this.#update(name, { name: newName })
  }

  describe(name: string, description: string): Promise<RegisteredModel> {
    return this.#update(name, { description })
  }

  async delete(name: string): Promise<void> {
    await this.get(name)
    await this.#store.delete(name)
  }

  async setTag(name: string, tag: Tag): Promise<void> {
    refuse(`The model "${name}" cannot be tagged`, tagProblems([tag], MAX_REGISTRY_TAG_VALUE))
    await this.#update(name, { tags: tagChanges([tag]) })
  }

  async deleteTag(name: string, key: string): Promise<void> {
    await this.#update(name, { tags: { [key]: null } })
  }

  /** Points `alias` at `version`, which must be there (the caller has looked). */
  async setAlias(name: string, alias: string, version: number): Promise<void> {
    checkAlias(alias)
    await this.get(name)
    await this.#store.setAlias(name, alias, version)
  }

  async deleteAlias(name: string, alias: string): Promise<void> {
    await this.get(name)
    await this.#store.setAlias(name, alias, null)
  }

  /** The version that `alias` points at. Throws `not_found`. */
  async versionOfAlias(name: string, alias: string): Promise<number> {
    const { aliases } = await this.get(name)
    const found = aliases.find((known) => known.alias === alias)
    if (found) return found.version
    const names = aliases.map((known) => known.alias)
    throw new AppError('not_found', `Registered model alias ${alias} not found.${didYouMean(alias, names)}`)
  }

  async #update(name: string, change: Omit<RegisteredModelChange, 'updatedAt'>): Promise<RegisteredModel> {
    await this.get(name)
    await this.#store.update(name, { ...change, updatedAt: this.#clock.now().getTime() })
    return this.get(change.name ?? name)
  }
}

function modelNameProblems(name: string): string[] {
  if (name.trim() === '') return ['Its name is empty.']
  if (name.length > 256) return [`Its name has ${name.length} characters; 256 are allowed.`]
  return /[/:]/.test(name) || name === '.' || name === '..' ? [`Names cannot contain '/' or ':', nor be "." or "..".`] : []
}
