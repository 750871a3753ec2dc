/** Runs a pipeline, one node after the other. */
import type { DataCatalog } from './catalog.ts'
import { isParameter, type Names, type Node, namesIn } from './node.ts'
import type { Pipeline } from './pipeline.ts'
import { PipelineError } from './pipeline-error.ts'
import { Table } from './table.ts'

/** What is told while a pipeline runs. `index` counts from 1. */
export type Progress =
  | { readonly type: 'started'; readonly node: Node; readonly index: number; readonly count: number }
  | { readonly type: 'line'; readonly node: Node; readonly line: string }
  | {
      readonly type: 'finished'
      readonly node: Node
      readonly index: number
      readonly count: number
      readonly seconds: number
      /** Rows of each table that it gave, by dataset. */
      readonly rows: Readonly<Record<string, number>>
    }

export interface RunOptions {
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: Progress) => void
}

/**
 * Answers the outputs that no node takes and that the catalog does not keep. What is in memory is forgotten as soon as
 * no later node needs it. Throws before the first node when an input is missing; else what a node threw, naming the node.
 */
export async function run(pipeline: Pipeline, catalog: DataCatalog, options: RunOptions = {}): Promise<Record<string, unknown>> {
  const { signal = new AbortController().signal, onProgress = () => {} } = options
  PipelineError.throwIfAny('The pipeline cannot run', missingInputs(pipeline, catalog))
  const kept = new Set(catalog.names)
  const count = pipeline.nodes.length
  for (const [at, node] of pipeline.nodes.entries()) {
    signal.throwIfAborted()
    const index = at + 1
    onProgress({ type: 'started', node, index, count })
    const began = performance.now()
    const outputs = await runNode(node, catalog, signal, (line) => onProgress({ type: 'line', node, line }))
    const rows: Record<string, number> = {}
    for (const [name, value] of Object.entries(outputs)) {
      await catalog.save(name, value)
      if (value instanceof Table) rows[name] = value.rows
    }
    onProgress({ type: 'finished', node, index, count, seconds: (performance.now() - began) / 1000, rows })
    const needed = new Set(pipeline.nodes.slice(index).flatMap((n) => namesIn(n.inputs)))
    for (const name of namesIn(node.inputs)) if (!needed.has(name) && !kept.has(name)) catalog.release(name)
  }
  const free = pipeline.outputs.filter((name) => !kept.has(name))
  return Object.fromEntries(await Promise.all(free.map(async (name) => [name, await catalog.load(name)] as const)))
}

function missingInputs(pipeline: Pipeline, catalog: DataCatalog): string[] {
  return pipeline.inputs
    .filter((name) => !catalog.has(name))
    .map((name) => {
      const users = pipeline.nodes.filter((n) => namesIn(n.inputs).includes(name)).map((n) => `"${n.name}"`)
      const hint = isParameter(name) ? '' : ' If a node gives it that this run leaves out, add it to conf/base/catalog.yml.'
      return `node ${users.join(', ')} takes "${name}", but ${catalog.complaint(name)}${hint}`
    })
}

async function runNode(
  node: Node,
  catalog: DataCatalog,
  signal: AbortSignal,
  log: (line: string) => void,
): Promise<Record<string, unknown>> {
  const loaded = new Map<string, unknown>()
  for (const name of namesIn(node.inputs)) loaded.set(name, await catalog.load(name))
  const call = node.function as (...args: unknown[]) => unknown
  const inputs = node.inputs
  const args = isKeyed(inputs)
    ? [Object.fromEntries(Object.entries(inputs).map(([key, name]) => [key, loaded.get(name)]))]
    : namesIn(inputs).map((name) => loaded.get(name))
  try {
    return outputsOf(node, await call(...args, { signal, log }))
  } catch (error) {
    if (signal.aborted) throw signal.reason
    if (error instanceof PipelineError)
      throw new PipelineError(`Node "${node.name}": ${error.message}`, { problems: error.problems, cause: error })
    throw new Error(`Node "${node.name}" failed: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
}

function outputsOf(node: Node, result: unknown): Record<string, unknown> {
  const { outputs } = node
  if (typeof outputs === 'string') return { [outputs]: result }
  if (isKeyed(outputs)) {
    const given = (result ?? {}) as Record<string, unknown>
    const missing = Object.keys(outputs).filter((key) => given[key] === undefined)
    if (missing.length > 0)
      throw new PipelineError(`its function must answer an object with ${missing.map((key) => `"${key}"`).join(', ')}`)
    return Object.fromEntries(Object.entries(outputs).map(([key, name]) => [name, given[key]]))
  }
  if (outputs.length === 0) return {}
  if (!Array.isArray(result) || result.length !== outputs.length) {
    throw new PipelineError(`its function must answer a list of ${outputs.length}, for ${outputs.join(', ')}`)
  }
  return Object.fromEntries(outputs.map((name, index) => [name, result[index]]))
}

const isKeyed = (names: Names): names is Readonly<Record<string, string>> => typeof names !== 'string' && !Array.isArray(names)
