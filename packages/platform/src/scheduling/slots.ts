/** Who holds a slot of what: the whole platform, a DAG, and pools. */
import type { Pool } from './pool.ts'
import { isActive, type TaskInstance } from './task-instance.ts'

export class Slots {
  #active = 0
  readonly #byDag = new Map<string, number>()
  readonly #byPool = new Map<string, number>()
  #pools = new Map<string, Pool>()

  get active(): number {
    return this.#active
  }

  activeOfDag(dagId: string): number {
    return this.#byDag.get(dagId) ?? 0
  }

  pool(name: string): Pool | undefined {
    return this.#pools.get(name)
  }

  /** How many slots of a pool are taken. */
  taken(pool: string): number {
    return this.#byPool.get(pool) ?? 0
  }

  /** How many slots of a pool are left; 0 for one that there is not. */
  left(name: string): number {
    const pool = this.#pools.get(name)
    if (!pool) return 0
    return pool.slots < 0 ? Number.POSITIVE_INFINITY : Math.max(0, pool.slots - this.taken(name))
  }

  /** Other pools; `instances` are all that are under way, to be counted anew. */
  setPools(pools: readonly Pool[], instances: Iterable<TaskInstance>): void {
    this.#pools = new Map(pools.map((pool) => [pool.name, pool]))
    this.#byPool.clear()
    for (const instance of instances) this.#countPool(instance, 1)
  }

  /** An instance has moved on, or has come or gone. Answers whether it has given back what it held. */
  move(before: TaskInstance | undefined, after: TaskInstance | undefined): boolean {
    const wasActive = before !== undefined && isActive(before.state)
    const isActiveNow = after !== undefined && isActive(after.state)
    if (wasActive && isActiveNow && before.pool === after.pool && before.poolSlots === after.poolSlots) return false
    if (after) this.#count(after, 1)
    const heldBefore = before !== undefined && this.#count(before, -1)
    return heldBefore && !isActiveNow
  }

  #count(instance: TaskInstance, change: 1 | -1): boolean {
    const holdsPool = this.#countPool(instance, change)
    if (!isActive(instance.state)) return holdsPool
    this.#active += change
    add(this.#byDag, instance.dagId, change)
    return true
  }

  clear(): void {
    this.#active = 0
    this.#byDag.clear()
    this.#byPool.clear()
  }

  #countPool({ state, pool, poolSlots }: TaskInstance, change: 1 | -1): boolean {
    const holds = isActive(state) || (state === 'deferred' && (this.#pools.get(pool)?.includeDeferred ?? false))
    if (holds) add(this.#byPool, pool, change * poolSlots)
    return holds
  }
}

function add(counts: Map<string, number>, key: string, change: number): void {
  const count = (counts.get(key) ?? 0) + change
  if (count === 0) counts.delete(key)
  else counts.set(key, count)
}
