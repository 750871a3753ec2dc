/** Mapping: a task or a group once for each element of lists that may only be known while the run goes on. */
import type { Kept } from './kept.ts'
import { isStep } from './step.ts'
import type { Task } from './task.ts'

const KIND = Symbol.for('daggerboard.expand')

/** What one task is made for: an element of a list, or `[key, value]` of a dictionary. */
type Item<Value> = Value extends readonly (infer One)[]
  ? One
  : Value extends Readonly<Record<string, infer One>>
    ? readonly [string, One]
    : never

/** The same of a task that will answer the list, of `mapOver`, or of the list itself. */
export type ElementOf<Source> =
  Source extends MappedOutput<infer One>
    ? One
    : Source extends Concat<infer One>
      ? One
      : Source extends Task<infer Output>
        ? Item<Output>
        : Item<Source>

type List = readonly unknown[] | Readonly<Record<string, unknown>>
/** A list or a dictionary, or a task whose output is one. */
type Part = Task<List> | List | Concat<unknown>
export type Expandable = Part | MappedOutput<unknown>
type Expandables = Readonly<Record<string, Expandable>>

/** By name, what a mapped task gets an element of. Every combination is one instance; the last name turns fastest. Or `zip(…)`, or `records(…)`. */
export type Expansion = Expandables | Zip<Expandables, unknown> | Records<unknown>

/** What each instance gets. */
export type ExpansionValues<Of> =
  Of extends Zip<infer In, infer Fill>
    ? { readonly [Name in keyof In]: Arrived<In[Name]> | Fill }
    : Of extends Records<infer Record>
      ? Record
      : { readonly [Name in keyof Of]: Arrived<Of[Name]> }

/** What another task has answered comes as JSON keeps it. */
type Arrived<Source> = Source extends Task<infer Output> ? Item<Kept<Output>> : ElementOf<Source>

export interface Zip<In, Fill> {
  readonly [KIND]: 'zip'
  readonly inputs: In
  readonly fill: { readonly value: Fill } | null
}

export interface Records<One> {
  readonly [KIND]: 'records'
  readonly from: unknown
  /** Only a type. */
  readonly record?: One
}

/** A list that is made of another one, element by element, where it is used. */
export interface MappedOutput<One> {
  readonly [KIND]: 'mapped'
  readonly source: unknown
  readonly apply: (element: never) => unknown
  /** Only a type. */
  readonly element?: One
}

/** Several lists one after the other, as if they were one. */
export interface Concat<One> {
  readonly [KIND]: 'concat'
  readonly parts: readonly unknown[]
  /** Only a type. */
  readonly element?: One
}

/** The elements of the first list, then those of the second, and so on. `mapOver` goes around it, not into it. */
export const concat = <const Parts extends readonly [Part, ...Part[]]>(...parts: Parts): Concat<ElementOf<Parts[number]>> => ({
  [KIND]: 'concat',
  parts,
})

/** Elements of the same place go together. The shortest list ends it, unless there is a `fill` for what is missing. */
export const zip: {
  <In extends Expandables, Fill>(inputs: In, options: { readonly fill: Fill }): Zip<In, Fill>
  <In extends Expandables>(inputs: In): Zip<In, never>
} = <In extends Expandables>(inputs: In, options?: { readonly fill: unknown }): Zip<In, never> => ({
  [KIND]: 'zip',
  inputs,
  fill: options ? { value: options.fill as never } : null,
})

/** Each element is an object that has all the values by name, so that only those combinations run that are in the list. */
export const records = <
  From extends
    | Task<readonly Readonly<Record<string, unknown>>[]>
    | MappedOutput<object>
    | Concat<object>
    | readonly Readonly<Record<string, unknown>>[],
>(
  from: From,
): Records<ElementOf<From>> => ({ [KIND]: 'records', from })

/** A list made of `source` by `apply`, which is called in the instance that gets the element; when it throws `SkipTask`, that instance is skipped. */
export const mapOver = <const Source extends Expandable, One>(
  source: Source,
  apply: (element: ElementOf<Source>) => One,
): MappedOutput<One> => ({
  [KIND]: 'mapped',
  source,
  apply,
})

const SEPARATE = Symbol.for('daggerboard.element')

/** In a mapped group, what stands for its element, or for one value of it. Give it to the tasks as an input. */
export interface Element<Value> {
  readonly [SEPARATE]: { readonly group: string; readonly name: string | null }
  /** Only a type. */
  readonly value?: Value
}

/** The whole element, and each of its values by name. */
export type ElementHandles<Values> = Element<Values> & { readonly [Name in keyof Values]-?: Element<Values[Name]> }

export const elementHandles = (group: string): ElementHandles<Record<string, unknown>> =>
  new Proxy({ [SEPARATE]: { group, name: null } } as ElementHandles<Record<string, unknown>>, {
    get: (handles, name) => (typeof name === 'string' ? { [SEPARATE]: { group, name } } : Reflect.get(handles, name)),
  })

/** Which element `value` stands for; null when it stands for none. */
export const elementSource = (value: unknown): { readonly group: string; readonly name: string | null } | null =>
  typeof value === 'object' && value !== null && SEPARATE in value ? (value as Element<unknown>)[SEPARATE] : null

const kindOf = (value: unknown): string | null =>
  typeof value === 'object' && value !== null && KIND in value ? String((value as Zip<unknown, unknown>)[KIND]) : null

/** The parts of an expansion, whichever it is. */
export function partsOf(expansion: Expansion): {
  readonly kind: 'product' | 'zip' | 'records'
  readonly inputs: Readonly<Record<string, unknown>>
  readonly fill: { readonly value: unknown } | null
} {
  const kind = kindOf(expansion)
  if (kind === 'zip') return { kind, ...(expansion as Zip<Expandables, unknown>) }
  if (kind === 'records') return { kind, inputs: { records: (expansion as Records<unknown>).from }, fill: null }
  return { kind: 'product', inputs: expansion as Expandables, fill: null }
}

/** What the list comes from: a task or the list itself, and what is made of each element on the way. */
export function listSource(given: unknown): { readonly source: unknown; readonly apply: readonly ((element: unknown) => unknown)[] } {
  if (kindOf(given) !== 'mapped') return { source: given, apply: [] }
  const { source, apply } = given as MappedOutput<unknown>
  const inner = listSource(source)
  return { source: inner.source, apply: [...inner.apply, apply as (element: unknown) => unknown] }
}

/** The lists behind one: its own, or those that it has one after the other. */
export const listParts = (source: unknown): { readonly isConcat: boolean; readonly parts: readonly unknown[] } =>
  kindOf(source) === 'concat'
    ? { isConcat: true, parts: (source as Concat<unknown>).parts.flatMap((part) => listParts(part).parts) }
    : { isConcat: false, parts: [source] }

/** The tasks whose outputs decide how many instances there are. */
export const sourceTasks = (expansion: Expansion): Task[] =>
  Object.values(partsOf(expansion).inputs)
    .flatMap((given) => listParts(listSource(given).source).parts)
    .filter(isStep) as Task[]
