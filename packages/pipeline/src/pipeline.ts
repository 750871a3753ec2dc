/** A pipeline: nodes in the order in which their datasets allow them to run. */
import { isParameter, type Node, namesIn } from './node.ts'
import { didYouMean, PipelineError } from './pipeline-error.ts'

export interface Slice {
  /** These nodes and all that come after them. */
  readonly fromNodes?: readonly string[]
  /** These nodes and all that come before them. */
  readonly toNodes?: readonly string[]
  /** Only nodes with one of these tags. */
  readonly tags?: readonly string[]
}

/** Make one with `pipeline([...])`. */
export class Pipeline {
  /** In running order: every node after those that give its inputs, otherwise as they were written. */
  readonly nodes: readonly Node[]
  readonly #producers: ReadonlyMap<string, Node>

  constructor(nodes: readonly Node[]) {
    this.#producers = findProducers(nodes)
    this.nodes = inRunningOrder(nodes, this.#producers)
  }

  /** The node that gives `dataset`, if one of them does. */
  producer(dataset: string): Node | undefined {
    return this.#producers.get(dataset)
  }

  /** What has to be there before: all inputs that no node gives, parameters included. */
  get inputs(): string[] {
    return unique(this.nodes.flatMap((n) => namesIn(n.inputs))).filter((name) => !this.#producers.has(name))
  }

  /** What is left over at the end: all outputs that no node takes. */
  get outputs(): string[] {
    const taken = new Set(this.nodes.flatMap((n) => namesIn(n.inputs)))
    return [...this.#producers.keys()].filter((name) => !taken.has(name))
  }

  /** This pipeline and `others` as one. Nodes that are in several of them are there once. */
  combine(...others: readonly Pipeline[]): Pipeline {
    return new Pipeline(unique([this, ...others].flatMap((p) => p.nodes)))
  }

  /** The part of it that `slice` names. Throws when a node is unknown or nothing is left. */
  slice({ fromNodes, toNodes, tags }: Slice): Pipeline {
    const names = this.nodes.map((n) => n.name)
    const unknown = unique([...(fromNodes ?? []), ...(toNodes ?? [])]).filter((name) => !names.includes(name))
    PipelineError.throwIfAny(
      'The pipeline cannot be cut',
      unknown.map((name) => `it has no node "${name}".${didYouMean(name, names)} It has: ${names.join(', ')}.`),
    )
    const after = fromNodes && this.#closure(fromNodes, (n) => this.#consumers(n))
    const before = toNodes && this.#closure(toNodes, (n) => this.#suppliers(n))
    const kept = this.nodes.filter(
      (n) => (!after || after.has(n)) && (!before || before.has(n)) && (!tags || n.tags.some((tag) => tags.includes(tag))),
    )
    if (kept.length === 0) throw new PipelineError('The pipeline cannot be cut like this: no node is left.')
    return new Pipeline(kept)
  }

  #suppliers(of: Node): Node[] {
    return namesIn(of.inputs).flatMap((name) => this.#producers.get(name) ?? [])
  }

  #consumers(of: Node): Node[] {
    const given = namesIn(of.outputs)
    return this.nodes.filter((n) => namesIn(n.inputs).some((name) => given.includes(name)))
  }

  #closure(start: readonly string[], next: (n: Node) => Node[]): Set<Node> {
    const found = new Set<Node>()
    const waiting = this.nodes.filter((n) => start.includes(n.name))
    for (let current = waiting.pop(); current; current = waiting.pop()) {
      if (found.has(current)) continue
      found.add(current)
      waiting.push(...next(current))
    }
    return found
  }
}

/** Nodes, or pipelines whose nodes are meant. Throws for two nodes of one name or one output, and for a circle. */
export const pipeline = (parts: readonly (Node | Pipeline)[]): Pipeline =>
  new Pipeline(unique(parts.flatMap((part) => (part instanceof Pipeline ? part.nodes : [part]))))

/** `parts` as one pipeline: `combine(loading, processing)` is Kedro's `loading + processing`. */
export const combine = (...parts: readonly Pipeline[]): Pipeline => pipeline(parts)

function findProducers(nodes: readonly Node[]): Map<string, Node> {
  const problems: string[] = []
  const producers = new Map<string, Node>()
  const byName = new Set<string>()
  for (const n of nodes) {
    if (byName.has(n.name)) problems.push(`two nodes are named "${n.name}". Give one of them another \`name\`.`)
    byName.add(n.name)
    for (const output of namesIn(n.outputs)) {
      const other = producers.get(output)
      if (other) problems.push(`nodes "${other.name}" and "${n.name}" both give dataset "${output}". Rename one of the outputs.`)
      producers.set(output, n)
    }
  }
  PipelineError.throwIfAny('The pipeline is wrong', problems)
  return producers
}

/** Depth first along the inputs; what is still open when it is met again closes a circle. */
function inRunningOrder(nodes: readonly Node[], producers: ReadonlyMap<string, Node>): Node[] {
  const done = new Set<Node>()
  const open: Node[] = []
  const visit = (n: Node) => {
    if (done.has(n)) return
    if (open.includes(n)) {
      const circle = [...open.slice(open.indexOf(n)), n].reverse().map(({ name }) => name)
      throw new PipelineError(`The pipeline goes in a circle: ${circle.join(' → ')}. Remove one of these dependencies.`)
    }
    open.push(n)
    for (const input of namesIn(n.inputs)) {
      const supplier = isParameter(input) ? undefined : producers.get(input)
      if (supplier) visit(supplier)
    }
    open.pop()
    done.add(n)
  }
  for (const n of nodes) visit(n)
  return [...done]
}

const unique = <T>(items: readonly T[]): T[] => [...new Set(items)]
