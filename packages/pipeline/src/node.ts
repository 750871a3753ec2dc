/** A node: one plain function, the names of the datasets it takes and the names of those it gives. */
import { PipelineError } from './pipeline-error.ts'

/** What a node's function gets after its inputs. */
export interface NodeContext {
  /** Aborts when the run is cancelled. */
  readonly signal: AbortSignal
  /** Writes a progress line. */
  log(line: string): void
}

/** Any function; its inputs come in order (or as one object when `inputs` is an object), then the `NodeContext`. */
export type NodeFunction = (...args: never[]) => unknown

/** `a`, `[a, b]` for several in order, `{argument: dataset}` for named ones, `[]` for none. */
export type Names = string | readonly string[] | Readonly<Record<string, string>>

export interface NodeOptions {
  /** Datasets, `params:a.b` for a parameter, `parameters` for all of them. */
  readonly inputs?: Names
  /** One dataset; several for a function that returns a list; `{key: dataset}` for one that returns an object. */
  readonly outputs?: Names
  /** Unique in its pipeline. Default: the function's own name. */
  readonly name?: string
  readonly tags?: readonly string[]
}

export interface Node {
  readonly name: string
  readonly function: NodeFunction
  readonly inputs: Names
  readonly outputs: Names
  readonly tags: readonly string[]
}

/** Throws when the node has no name, gives nothing and takes nothing, or gives what it takes. */
export function node(fn: NodeFunction, { inputs = [], outputs = [], name = fn.name, tags = [] }: NodeOptions): Node {
  if (name === '') throw new PipelineError('A node has no name, because its function has none. Give it one: node(fn, { name: … }).')
  const made = { name, function: fn, inputs, outputs, tags }
  const problems: string[] = []
  const given = namesIn(outputs)
  if (given.length === 0 && namesIn(inputs).length === 0) problems.push('it has neither inputs nor outputs')
  for (const output of given) {
    if (namesIn(inputs).includes(output)) problems.push(`dataset "${output}" is both an input and an output of it`)
    if (isParameter(output)) problems.push(`"${output}" is a parameter and cannot be an output`)
  }
  const twice = given.find((output, index) => given.indexOf(output) !== index)
  if (twice !== undefined) problems.push(`it gives dataset "${twice}" twice`)
  PipelineError.throwIfAny(`Node "${name}" is wrong`, problems)
  return made
}

/** The dataset names in `names`, in order. */
export function namesIn(names: Names): string[] {
  if (typeof names === 'string') return [names]
  return Array.isArray(names) ? [...names] : Object.values(names)
}

export const isParameter = (name: string): boolean => name === 'parameters' || name.startsWith('params:')
