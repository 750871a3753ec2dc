/** DAGs of all shapes that the scheduler may meet. */
import { type DagDocument, dag, type Task, TRIGGER_RULES } from '@daggerboard/dag'
import type { Random } from './seeded.ts'

export const POOLS = [
  { name: 'narrow', slots: 2, description: null, includeDeferred: false },
  { name: 'shut_while_deferred', slots: 3, description: null, includeDeferred: true },
] as const

export function randomDag(dagId: string, random: Random): DagDocument {
  const { chance, whole, pick } = random
  const options = {
    maxActiveRuns: whole(1, 3),
    maxActiveTasks: whole(1, 5),
    ...(chance(0.2) && { schedule: '@hourly', catchup: chance(0.5), startDate: '2019-10-09T09:00:00Z' }),
    ...(chance(0.1) && { failFast: false }),
  }
  return dag(dagId, options, ({ task }) => {
    const tasks: Task[] = []
    for (let i = 0; i < whole(1, 7); i++) {
      const before = tasks.filter(() => chance(0.4))
      const isMapped = chance(0.2)
      const list = chance(0.5) ? tasks.find(({ id }) => id.startsWith('list')) : undefined
      const rule = chance(0.4) && !isMapped ? pick(TRIGGER_RULES) : 'all_success'
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
  }).document
}
