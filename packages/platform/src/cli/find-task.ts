/** Which tasks a command means by a regular expression. */
import { AppError } from '../core/app-error.ts'
import type { TaskView } from './airflow.ts'
import { type PlatformClient, path } from './client.ts'

/** Ids of the tasks in which `pattern` is found; throws `not_found` when it is in none. */
export async function tasksLike(client: PlatformClient, dagId: string, pattern: string): Promise<string[]> {
  const { tasks } = await client.get<{ tasks: TaskView[] }>(path`/api/v2/dags/${dagId}/tasks`)
  const regex = compiled(pattern)
  const ids = tasks.map((task) => task.task_id).filter((id) => regex.test(id))
  if (ids.length === 0)
    throw new AppError('not_found', `DAG "${dagId}" has no task like "${pattern}". See: daggerboard tasks list ${dagId}`)
  return ids
}

/** Throws a usage error for what is no regular expression. */
export function compiled(pattern: string): RegExp {
  try {
    return new RegExp(pattern)
  } catch (cause) {
    throw new AppError('invalid', `"${pattern}" is not a regular expression: ${(cause as Error).message}.`, { cause, exitStatus: 2 })
  }
}
