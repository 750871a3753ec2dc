/** The search language of MLflow: comparisons joined by AND, and the order of the results. Parsed here, run by a store. */
import { AppError, didYouMean } from '../core/app-error.ts'
import { type Token, tokenize } from './filter-tokens.ts'

export type Entity = 'attribute' | 'metric' | 'param' | 'tag' | 'dataset'
type Comparator = '=' | '!=' | '>' | '>=' | '<' | '<=' | 'LIKE' | 'ILIKE' | 'IN' | 'NOT IN' | 'IS NULL' | 'IS NOT NULL'

interface Field {
  readonly entity: Entity
  readonly key: string
}

export interface Condition extends Field {
  readonly comparator: Comparator
  readonly value: string | number | readonly string[] | null
}

export interface Order extends Field {
  readonly descending: boolean
}

/** What of a noun can be searched. `attributes` says of each whether it is a number, a text, or a text that also takes IN. */
export interface Searchable {
  readonly noun: string
  readonly entities: readonly Entity[]
  readonly attributes: Readonly<Record<string, 'number' | 'text' | 'id'>>
  /** Other spellings of attributes. */
  readonly synonyms?: Readonly<Record<string, string>>
  readonly datasetKeys?: readonly string[]
}

const ENTITY: Readonly<Record<string, Entity>> = {
  metric: 'metric',
  metrics: 'metric',
  param: 'param',
  params: 'param',
  parameter: 'param',
  parameters: 'param',
  tag: 'tag',
  tags: 'tag',
  attribute: 'attribute',
  attributes: 'attribute',
  attr: 'attribute',
  run: 'attribute',
  dataset: 'dataset',
  datasets: 'dataset',
}

const NUMBER_COMPARATORS: readonly Comparator[] = ['=', '!=', '>', '>=', '<', '<=']
const TEXT_COMPARATORS: readonly Comparator[] = ['=', '!=', 'LIKE', 'ILIKE']
const MAX_CONDITIONS = 50

/** The conditions of `filter`, all of which must hold; none when it is empty. Throws `invalid`, saying what cannot be read. */
export function parseFilter(filter: string | undefined, searchable: Searchable): Condition[] {
  if (!filter?.trim()) return []
  const reader = new Reader(tokenize(filter), filter, searchable)
  const conditions = [reader.condition()]
  while (!reader.isAtEnd()) {
    reader.expectAnd()
    conditions.push(reader.condition())
  }
  if (conditions.length > MAX_CONDITIONS)
    throw new AppError('invalid', `The filter has ${conditions.length} comparisons; ${MAX_CONDITIONS} are allowed.`)
  return conditions
}

/** The order that `texts` (such as `metrics.auc DESC`) ask for. Throws `invalid`. */
export function parseOrder(texts: readonly string[], searchable: Searchable): Order[] {
  if (texts.length > MAX_CONDITIONS) throw new AppError('invalid', `order_by has ${texts.length} entries; ${MAX_CONDITIONS} are allowed.`)
  return texts.map((text) => {
    const reader = new Reader(tokenize(text), text, searchable)
    const order = { ...reader.field(), descending: reader.direction() }
    if (order.entity === 'dataset')
      throw new AppError('invalid', `Invalid order_by clause '${text}': ${searchable.noun} cannot be ordered by their datasets.`)
    if (!reader.isAtEnd()) throw new AppError('invalid', `Invalid order_by clause '${text}': give a field, then ASC or DESC or nothing.`)
    return order
  })
}

class Reader {
  #tokens: readonly Token[]
  #text: string
  #searchable: Searchable
  #at = 0

  constructor(tokens: readonly Token[], text: string, searchable: Searchable) {
    this.#tokens = tokens
    this.#text = text
    this.#searchable = searchable
  }

  isAtEnd(): boolean {
    return this.#at >= this.#tokens.length
  }

  condition(): Condition {
    const field = this.field()
    const comparator = this.#comparator()
    const type = this.#typeOf(field)
    const allowed = comparatorsOf(type, field.entity)
    const name = `${field.entity}.${field.key}`
    if (!allowed.includes(comparator)) throw this.#invalid(`"${comparator}" does not compare ${name}. Use one of ${allowed.join(', ')}`)
    if (comparator === 'IS NULL' || comparator === 'IS NOT NULL') return { ...field, comparator, value: null }
    if (comparator === 'IN' || comparator === 'NOT IN') return { ...field, comparator, value: this.#list() }
    const token = this.#next(`a value for ${name}`)
    if (type === 'number') {
      if (token.kind !== 'number') throw this.#invalid(`${name} is compared with a number, and "${token.text}" is none`)
      return { ...field, comparator, value: Number(token.text) }
    }
    if (token.kind !== 'quoted' || token.quote === '`')
      throw this.#invalid(`${name} is compared with a text in quotes, such as 'x', and "${token.text}" is none`)
    return { ...field, comparator, value: token.text }
  }

  /** `metrics.auc`, `tags."a b"`, or a bare attribute. */
  field(): Field {
    const token = this.#next('a field')
    if (token.kind === 'quoted' && token.quote !== "'") return this.#attribute(token.text)
    if (token.kind !== 'word') throw this.#invalid(`"${token.text}" stands where a field should, such as metrics.auc`)
    const dot = token.text.indexOf('.')
    if (dot < 0) return this.#attribute(token.text)
    const prefix = token.text.slice(0, dot)
    const entity = ENTITY[prefix.toLowerCase()]
    if (!entity || !this.#searchable.entities.includes(entity)) {
      const known = Object.keys(ENTITY).filter((name) => this.#searchable.entities.includes(ENTITY[name] as Entity))
      throw this.#invalid(`"${prefix}" is no part of ${this.#searchable.noun} that can be searched.${didYouMean(prefix, known)}`)
    }
    let key = token.text.slice(dot + 1)
    if (key === '') {
      const quoted = this.#next('a name after the dot')
      if (quoted.kind !== 'quoted' || quoted.quote === "'") throw this.#invalid(`"${quoted.text}" stands where a name should`)
      key = quoted.text
    }
    if (entity === 'attribute') return this.#attribute(key)
    if (entity === 'dataset' && !this.#searchable.datasetKeys?.includes(key))
      throw this.#invalid(`datasets have ${this.#searchable.datasetKeys?.join(', ')} and no "${key}"`)
    return { entity, key }
  }

  direction(): boolean {
    const token = this.#tokens[this.#at]
    if (token?.kind !== 'word' || !/^(asc|desc)$/i.test(token.text)) return false
    this.#at++
    return token.text.toLowerCase() === 'desc'
  }

  expectAnd(): void {
    const token = this.#next('AND')
    if (token.kind !== 'word' || token.text.toUpperCase() !== 'AND')
      throw this.#invalid(`comparisons are joined by AND only, and "${token.text}" stands there`)
  }

  #attribute(name: string): Field {
    const known = this.#searchable.attributes
    const key = this.#searchable.synonyms?.[name] ?? name
    if (!Object.hasOwn(known, key))
      throw this.#invalid(
        `${this.#searchable.noun} have no attribute "${name}". There are ${Object.keys(known).join(', ')}.${didYouMean(name, Object.keys(known))}`,
      )
    return { entity: 'attribute', key }
  }

  #comparator(): Comparator {
    const token = this.#next('a comparator')
    if (token.kind === 'sign' && token.text !== '(' && token.text !== ')' && token.text !== ',')
      return ({ '<>': '!=', '==': '=' }[token.text] ?? token.text) as Comparator
    const word = token.kind === 'word' ? token.text.toUpperCase() : ''
    if (word === 'LIKE' || word === 'ILIKE' || word === 'IN') return word
    if (word === 'NOT' && this.#takes('IN')) return 'NOT IN'
    if (word === 'IS') {
      const not = this.#takes('NOT')
      if (this.#takes('NULL')) return not ? 'IS NOT NULL' : 'IS NULL'
    }
    throw this.#invalid(`"${token.text}" is no comparator`)
  }

  #takes(word: string): boolean {
    const token = this.#tokens[this.#at]
    if (token?.kind !== 'word' || token.text.toUpperCase() !== word) return false
    this.#at++
    return true
  }

  #list(): string[] {
    const open = this.#next('a list in parentheses')
    if (open.text !== '(') throw this.#invalid(`IN is followed by a list, such as ('a', 'b')`)
    const values: string[] = []
    for (;;) {
      const value = this.#next('a text in quotes')
      if (value.kind !== 'quoted' || value.quote === '`') throw this.#invalid(`a list holds texts in quotes, and "${value.text}" is none`)
      values.push(value.text)
      const sign = this.#next('"," or ")"')
      if (sign.text === ')') return values
      if (sign.text !== ',') throw this.#invalid(`"${sign.text}" stands where "," or ")" should`)
    }
  }

  #typeOf(field: Field): 'number' | 'text' | 'id' {
    if (field.entity === 'metric') return 'number'
    if (field.entity === 'attribute') return this.#searchable.attributes[field.key] ?? 'text'
    return field.entity === 'dataset' ? 'id' : 'text'
  }

  #next(expected: string): Token {
    const token = this.#tokens[this.#at++]
    if (!token) throw this.#invalid(`it ends where ${expected} should follow`)
    return token
  }

  #invalid(why: string): AppError {
    return new AppError('invalid', `Invalid clause(s) in filter string: '${this.#text}': ${why}.`)
  }
}

function comparatorsOf(type: 'number' | 'text' | 'id', entity: Entity): readonly Comparator[] {
  if (type === 'number') return NUMBER_COMPARATORS
  if (type === 'id') return [...TEXT_COMPARATORS, 'IN', 'NOT IN']
  return entity === 'param' || entity === 'tag' ? [...TEXT_COMPARATORS, 'IS NULL', 'IS NOT NULL'] : TEXT_COMPARATORS
}
