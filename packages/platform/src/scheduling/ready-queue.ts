/**
 * Tasks that wait for a slot, so kept that the limits are part of the selection: tasks with the same limits stand in one line, and a line
 * whose limit is reached waits at that limit, out of the way of the others, until something is given back there.
 */
import { Heap } from './heap.ts'
import type { TaskInstance } from './task-instance.ts'

/** A task that waits, with what decides its turn. */
export interface Waiting {
  readonly instance: TaskInstance
  /** When its run stands for: earlier ones first. */
  readonly runDate: string
  readonly isBackfill: boolean
  /** Counts up, so that nothing else equal the longer wait wins. */
  readonly order: number
}

/** Higher priority first; then runs that keep a schedule before those that fill the past; then the earlier run; then the longer wait. */
function comesBefore(a: Waiting, b: Waiting): boolean {
  if (a.instance.priorityWeight !== b.instance.priorityWeight) return a.instance.priorityWeight > b.instance.priorityWeight
  if (a.isBackfill !== b.isBackfill) return b.isBackfill
  if (a.runDate !== b.runDate) return a.runDate < b.runDate
  return a.order < b.order
}

class Line {
  readonly key: string
  readonly waiting = new Heap<Waiting>(comesBefore)
  /** Which entry of the heaps below speaks for it: earlier ones count no more. */
  entry = 0

  constructor(key: string) {
    this.key = key
  }
}

interface Entry {
  readonly line: Line
  readonly number: number
  readonly head: Waiting
  /** The limit at which it waited until something was given back there. */
  readonly from: string | null
}

const newEntries = () => new Heap<Entry>((a, b) => comesBefore(a.head, b.head))

export class ReadyQueue {
  readonly #lines = new Map<string, Line>()
  readonly #byInstance = new Map<string, Waiting>()
  #open = newEntries()
  readonly #held = new Map<string, Heap<Entry>>()
  #order = 0
  #ofBackfills = 0

  get size(): number {
    return this.#byInstance.size
  }

  /** Whether any task waits at a limit. */
  get isHolding(): boolean {
    return this.#held.size > 0
  }

  /** How many wait that belong to no backfill. */
  get waitingBesideBackfills(): number {
    return this.#byInstance.size - this.#ofBackfills
  }

  /** `lineKey` names the limits of the task, `key` the instance. */
  add(key: string, lineKey: string, instance: TaskInstance, facts: Pick<Waiting, 'runDate' | 'isBackfill'>): void {
    const waiting = { instance, order: this.#order++, ...facts }
    this.remove(key)
    this.#byInstance.set(key, waiting)
    if (facts.isBackfill) this.#ofBackfills += 1
    let line = this.#lines.get(lineKey)
    if (!line) {
      line = new Line(lineKey)
      this.#lines.set(lineKey, line)
    }
    line.waiting.push(waiting)
    // It may stand at the head now, and its line has to be looked at again wherever it waits.
    if (line.waiting.peek() === waiting) this.#reopen(line)
  }

  remove(key: string): void {
    if (this.#byInstance.get(key)?.isBackfill) this.#ofBackfills -= 1
    this.#byInstance.delete(key)
  }

  /** How many have their turn before that instance. Looks at all of them. */
  countBefore(instance: TaskInstance): number {
    const all = [...this.#byInstance.values()]
    const own = all.find((waiting) => waiting.instance === instance)
    return own ? all.filter((other) => comesBefore(other, own)).length : 0
  }

  /**
   * Offers the waiting tasks in their order. `take` answers null when it has taken one, the name of the limit that holds it back,
   * or `stop` when nothing has room. `keyOf` is the name under which an instance was added.
   */
  select(keyOf: (instance: TaskInstance) => string, take: (instance: TaskInstance) => { limit: string | null } | 'stop'): void {
    for (let entry = this.#open.peek(); entry; entry = this.#open.peek()) {
      const { line, from } = entry
      const isCurrent = entry.number === line.entry
      const head = isCurrent ? this.#head(line, keyOf) : null
      if (!head || head !== entry.head) {
        this.#open.pop()
        if (isCurrent) this.#reopen(line, head)
        if (from !== null) this.release(from)
        continue
      }
      const taken = take(head.instance)
      if (taken === 'stop') return
      this.#open.pop()
      if (taken.limit !== null) this.#hold(taken.limit, entry)
      else this.#reopen(line, this.#head(line, keyOf))
      // Who waited beside it at that limit may have more luck, unless nothing is left there.
      if (from !== null && taken.limit !== from) this.release(from)
    }
  }

  /** Something was given back at a limit: the first line that waits there is offered again, and after it the others as long as there is room. */
  release(limit: string): boolean {
    const held = this.#held.get(limit)
    for (let entry = held?.pop(); entry; entry = held?.pop()) {
      if (entry.number !== entry.line.entry) continue
      this.#open.push({ ...entry, from: limit })
      return true
    }
    this.#held.delete(limit)
    return false
  }

  releaseAll(): void {
    for (const limit of [...this.#held.keys()]) while (this.release(limit)) {}
  }

  clear(): void {
    this.#lines.clear()
    this.#byInstance.clear()
    this.#ofBackfills = 0
    this.#held.clear()
    this.#open = newEntries()
  }

  #head(line: Line, keyOf: (instance: TaskInstance) => string): Waiting | null {
    for (let head = line.waiting.peek(); head; head = line.waiting.peek()) {
      if (this.#byInstance.get(keyOf(head.instance)) === head) return head
      line.waiting.pop()
    }
    return null
  }

  #reopen(line: Line, head: Waiting | null | undefined = line.waiting.peek()): void {
    line.entry += 1
    if (head) this.#open.push({ line, number: line.entry, head, from: null })
    else this.#lines.delete(line.key)
  }

  #hold(limit: string, entry: Entry): void {
    let held = this.#held.get(limit)
    if (!held) {
      held = newEntries()
      this.#held.set(limit, held)
    }
    held.push(entry)
  }
}
