/** What edges are drawn between: tasks, and groups of tasks. */
import { Place } from './definition-error.ts'
import type { Group } from './group.ts'

/** A step, the id of one, or several side by side. */
export type Steps = Step | string | readonly (Step | string)[]

const STEP = Symbol.for('daggerboard.step')

/** Whether `value` is a task or a group, also when it was made by another copy of this package. */
export const isStep = (value: unknown): value is Step => typeof value === 'object' && value !== null && STEP in value

export abstract class Step {
  readonly [STEP] = true
  /** Whole id, with its group's in front. */
  readonly id: string
  /** The group that it is in. */
  readonly group: Group | null
  readonly place = new Place()
  /** The edges as they were drawn: to steps, or to ids, of which nothing is known yet. */
  readonly drawn: { readonly to: 'before' | 'after'; readonly step: Step | string }[] = []

  constructor(id: string, group: Group | null) {
    this.id = id
    this.group = group
  }

  /** Runs before each of `steps`: a group as a whole. Answers this one. */
  before(...steps: readonly Steps[]): this {
    for (const step of steps.flat()) this.drawn.push({ to: 'before', step })
    return this
  }

  /** Runs after each of `steps`: when all of a group is through. Answers this one. */
  after(...steps: readonly Steps[]): this {
    for (const step of steps.flat()) this.drawn.push({ to: 'after', step })
    return this
  }
}

/**
 * Draws edges along a line; a list stands side by side: `chain(create, submit, [remove, build])`
 * puts `submit` after `create`, and `remove` and `build` each after `submit`.
 */
export function chain(...steps: readonly (Step | readonly Step[])[]): void {
  for (const [i, step] of steps.entries()) {
    const next = steps[i + 1]
    if (next) for (const one of [step].flat()) one.before(next)
  }
}
