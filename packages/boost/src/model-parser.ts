/** Reads LightGBM's text format, checking all that prediction relies on. */

import { didYouMean, InvalidInput } from './invalid-input.ts'
import { linkOf } from './link.ts'
import type { Model } from './model-text.ts'
import { CATEGORICAL, type Tree } from './tree.ts'

interface Line {
  readonly number: number
  readonly text: string
}

/** The model in `text`. Throws InvalidInput with the number of the line that is broken. */
export function parseModel(text: string): Model {
  const lines = text.split('\n').map((line, index): Line => ({ number: index + 1, text: line.trimEnd() }))
  const first = lines[0] as Line
  if (first.text !== 'tree') fail(first, `a model begins with the line "tree", not ${quote(first.text)}`)
  const treesEnd = lines.findIndex((line) => line.text === 'end of trees')
  if (treesEnd < 0) fail(lines[lines.length - 1] as Line, 'the text ends before "end of trees": it has been cut off')
  const starts = lines.slice(0, treesEnd).filter((line) => line.text.startsWith('Tree='))
  const header = new Section(lines.slice(1, (starts[0]?.number ?? treesEnd + 1) - 1), first)
  const featureNames = readHeader(header)
  const trees = starts.map((start, index) => {
    if (start.text !== `Tree=${index}`) fail(start, `expected Tree=${index}, found ${quote(start.text)}`)
    const end = starts[index + 1]?.number ?? treesEnd + 1
    return parseTree(new Section(lines.slice(start.number, end - 1), start), featureNames.length)
  })
  const sizes = header.optional('tree_sizes')
  if (sizes !== undefined && sizes.words.length !== trees.length) {
    fail(sizes.line, `tree_sizes has ${sizes.words.length} entries but there are ${trees.length} trees: the text has been cut or edited`)
  }
  const infos = header.optional('feature_infos')
  if (infos !== undefined && infos.words.length !== featureNames.length) {
    fail(infos.line, `feature_infos has ${infos.words.length} entries but there are ${featureNames.length} features`)
  }
  return {
    objective: header.optional('objective')?.value ?? '',
    featureNames,
    featureInfos: infos?.words ?? featureNames.map(() => 'none'),
    trees,
    averageOutput: header.has('average_output'),
    parameters: parametersOf(lines.slice(treesEnd)),
  }
}

/** Checks the header and answers the names of the features. */
function readHeader(header: Section): string[] {
  const version = header.required('version')
  if (version.value !== 'v3' && version.value !== 'v4')
    fail(version.line, `the format version is ${quote(version.value)}; v3 and v4 can be read`)
  for (const key of ['num_class', 'num_tree_per_iteration']) {
    const count = header.required(key)
    if (count.value !== '1') fail(count.line, `${key} is ${count.value}; only models with one output can be read`)
  }
  const objective = header.optional('objective')
  if (objective !== undefined && linkOf(objective.value) === undefined) {
    fail(objective.line, `the objective ${quote(objective.value)} cannot be read; models with one output can`)
  }
  const names = header.required('feature_names')
  const last = header.required('max_feature_idx')
  if (names.words.length !== Number(last.value) + 1) {
    fail(names.line, `there are ${names.words.length} feature names but max_feature_idx is ${last.value}`)
  }
  return names.words
}

function parseTree(section: Section, featureCount: number): Tree {
  const linear = section.optional('is_linear')
  if (linear !== undefined && linear.value !== '0')
    fail(linear.line, 'this tree is linear (is_linear=1); trees with constant leaves can be read')
  const leaves = section.numbers('num_leaves', 1)[0] as number
  if (!Number.isInteger(leaves) || leaves < 1)
    fail(section.required('num_leaves').line, `num_leaves is ${leaves}, but must be a whole number from 1`)
  const sets = section.numbers('num_cat', 1)[0] as number
  const nodes = leaves - 1
  const child = (value: number) => Number.isInteger(value) && value < nodes && value >= -leaves
  const isCount = (value: number) => Number.isInteger(value) && value >= 0 && value <= 0xffffffff
  const splitFeature = Int32Array.from(section.numbers('split_feature', nodes, (value) => isCount(value) && value < featureCount))
  const threshold = Float64Array.from(section.numbers('threshold', nodes))
  const decisionType = Uint8Array.from(section.numbers('decision_type', nodes, (value) => isCount(value) && value <= 15))
  const leftChild = Int32Array.from(section.numbers('left_child', nodes, child))
  const rightChild = Int32Array.from(section.numbers('right_child', nodes, child))
  checkShape(section, leaves, leftChild, rightChild)
  const catBoundaries = Int32Array.from(sets > 0 ? section.numbers('cat_boundaries', sets + 1, isCount) : [])
  const catThreshold = Uint32Array.from(sets > 0 ? section.numbers('cat_threshold', catBoundaries[sets] as number, isCount) : [])
  decisionType.forEach((decision, node) => {
    const set = threshold[node] as number
    if ((decision & CATEGORICAL) === 0 || (Number.isInteger(set) && set >= 0 && set < sets)) return
    fail(section.required('threshold').line, `node ${node} splits by category set ${set}, but the tree has ${sets} of them`)
  })
  return {
    leaves,
    splitFeature,
    splitGain: section.optionalNumbers('split_gain', nodes),
    threshold,
    decisionType,
    leftChild,
    rightChild,
    leafValue: Float64Array.from(section.numbers('leaf_value', leaves)),
    leafWeight: section.optionalNumbers('leaf_weight', leaves),
    leafCount: Int32Array.from(section.optionalNumbers('leaf_count', leaves)),
    internalValue: section.optionalNumbers('internal_value', nodes),
    internalWeight: section.optionalNumbers('internal_weight', nodes),
    internalCount: Int32Array.from(section.optionalNumbers('internal_count', nodes)),
    catBoundaries,
    catThreshold,
    shrinkage: section.optionalNumbers('shrinkage', 1)[0] as number,
  }
}

/** Every node and leaf must hang in the tree once, or a walk would never end. */
function checkShape(section: Section, leaves: number, leftChild: Int32Array, rightChild: Int32Array): void {
  const seen = new Set<number>()
  for (const children of [leftChild, rightChild]) {
    children.forEach((child, node) => {
      const line = section.required(children === leftChild ? 'left_child' : 'right_child').line
      if (child === 0 || seen.has(child)) fail(line, `node ${node} has the child ${child}, which is the root or has another parent already`)
      seen.add(child)
    })
  }
  const open = leaves > 1 ? [0] : []
  let reached = 0
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    reached++
    for (const child of [leftChild[node] as number, rightChild[node] as number]) if (child >= 0) open.push(child)
  }
  if (reached !== leaves - 1)
    fail(section.required('left_child').line, `only ${reached} of ${leaves - 1} nodes can be reached from the root`)
}

function parametersOf(lines: readonly Line[]): string[] {
  const begin = lines.findIndex((line) => line.text === 'parameters:')
  const end = lines.findIndex((line) => line.text === 'end of parameters')
  if (begin < 0 || end < begin) return []
  return lines
    .slice(begin + 1, end)
    .map((line) => line.text)
    .filter((line) => line !== '')
}

interface Field {
  readonly line: Line
  readonly value: string
  readonly words: string[]
}

/** The `name=value` lines between two places of the text. */
class Section {
  readonly #fields = new Map<string, Field>()
  readonly #head: Line

  /** `head` is the line to blame when something is missing. */
  constructor(lines: readonly Line[], head: Line) {
    this.#head = head
    for (const line of lines) {
      if (line.text === '') continue
      const equals = line.text.indexOf('=')
      const name = equals < 0 ? line.text : line.text.slice(0, equals)
      const value = equals < 0 ? '' : line.text.slice(equals + 1)
      if (this.#fields.has(name)) fail(line, `"${name}" is given a second time`)
      this.#fields.set(name, { line, value, words: value.split(' ').filter((word) => word !== '') })
    }
  }

  has(name: string): boolean {
    return this.#fields.has(name)
  }

  optional(name: string): Field | undefined {
    return this.#fields.get(name)
  }

  required(name: string): Field {
    return this.#fields.get(name) ?? fail(this.#head, `"${name}" is missing after this line.${didYouMean(name, this.#fields.keys())}`)
  }

  /** Exactly `count` numbers, each of them allowed. */
  numbers(name: string, count: number, isAllowed: (value: number) => boolean = (value) => !Number.isNaN(value)): number[] {
    const { line, words } = this.required(name)
    if (words.length !== count) fail(line, `${name} has ${words.length} values but must have ${count}`)
    return words.map((word, index) => {
      const value = numberFrom(word)
      if (!isAllowed(value)) fail(line, `value ${index + 1} of ${name} is ${quote(word)}, which is not allowed there`)
      return value
    })
  }

  /** Numbers that only describe the tree: zeros when absent. */
  optionalNumbers(name: string, count: number): Float64Array {
    const field = this.#fields.get(name)
    return field === undefined || field.words.length === 0 ? new Float64Array(count) : Float64Array.from(this.numbers(name, count))
  }
}

/** NaN for what is no number; C++ writes infinity as `inf`. */
function numberFrom(word: string): number {
  if (/^[+-]?inf(inity)?$/i.test(word)) return word.startsWith('-') ? -Infinity : Infinity
  return /^[+-]?(\d|\.\d)/.test(word) ? Number(word) : Number.NaN
}

const quote = (text: string): string => JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text)

function fail(line: Line, problem: string): never {
  throw new InvalidInput(`Cannot read the model: line ${line.number}: ${problem}.`, [])
}
