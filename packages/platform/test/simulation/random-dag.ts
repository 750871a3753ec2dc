/** DAGs of all shapes that the scheduler may meet. */
import { type DagDocument, dag, type Task, TRIGGER_RULES } from '@daggerboard/dag'
import type { Random } from './seeded.ts'

export const POOLS = [
  { name: 'narrow', slots: 2, description: null, includeDeferred: false },
  { name: 'shut_while_deferred', slots: 3, description: null, includeDeferred: true },
] as const

export function randomDag(dagId: string, random: Random): DagDocument {
  const { chance, whole, pick } = random
  const failFast = chance(0.1)
  const options = {
    failFast,
    maxActiveRuns: whole(1, 3),
    maxActiveTasks: whole(1, 5),
    ...(chance(0.2) && { schedule: '@hourly', catchup: chance(0.5), startDate: '2019-10-09T09:00:00Z' }),
    ...(chance(0.1) && { runTimeout: '15s' as const }),
    ...(chance(0.3) && { onFailure: () => {} }),
  }
  return dag(dagId, options, ({ task, group, branch, shortCircuit }) => {
    const tasks: Task[] = []
    for (let i = 0; i < whole(1, 7); i++) {
      const before = tasks.filter(() => chance(0.4))
      const isMapped = chance(0.2)
      const list = chance(0.5) ? tasks.find(({ id }) => id.startsWith('list')) : undefined
      const rule = chance(0.4) && !isMapped && !failFast ? pick(TRIGGER_RULES) : 'all_success'
      const more = {
        dependsOn: before,
        triggerRule: rule,
        retries: whole(0, 2),
        retryDelay: '30s' as const,
        ...(chance(0.3) && { pool: pick(POOLS).name, poolSlots: whole(1, 2) }),
        ...(chance(0.2) && { maxActivePerDag: whole(1, 2) }),
        ...(chance(0.1) && { maxActivePerRun: 1 }),
        ...(chance(0.3) && { priorityWeight: whole(1, 9) }),
        ...(chance(0.1) && { dependsOnPast: true }),
        ...(chance(0.2) && { onFailure: () => {}, onRetry: () => {} }),
      }
      const isList = !isMapped && chance(0.3)
      tasks.push(
        isMapped
          ? (task(`mapped${i}`, async () => null, {
              ...more,
              expand: { element: (list as Task<number[]> | undefined) ?? [1, 2, 3] },
            }) as Task)
          : task(`${isList ? 'list' : 'work'}${i}`, async () => null, more),
      )
    }
    const last = tasks.at(-1) as Task
    const list = tasks.find(({ id }) => id.startsWith('list')) as Task<number[]> | undefined
    if (chance(0.25)) {
      group('mapped_group', { expand: { element: list ?? [1, 2, 3] } }, ({ task, element }) => {
        const first = task('first', async () => null, { retries: 1, input: { element: element as never } })
        task('second', async () => null, { dependsOn: [first] })
      })
    }
    if (chance(0.25)) {
      const left = task('left', async () => null)
      const right = task('right', async () => null)
      branch('choose', async () => null, { targets: [left, right], dependsOn: [last] })
      task('join', async () => null, { dependsOn: [left, right], triggerRule: failFast ? 'all_success' : 'none_failed_min_one_success' })
    }
    if (chance(0.15)) shortCircuit('circuit', async () => true, { dependsOn: [last] }).before(task('after_circuit', async () => null))
    if (chance(0.25)) {
      const create = task('create', async () => null, { dependsOn: chance(0.5) ? [last] : [] })
      const inside = task('inside', async () => null, { retries: 1 }).after(create)
      task('remove', async () => null)
        .after(inside)
        .asTeardown({ setups: create, onFailureFailDagRun: chance(0.3) })
    }
  }).document
}
