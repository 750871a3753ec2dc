/** Logs of tries: as they are, and while they grow. */
import { type InstanceView, instancePath, isAtRest } from './airflow.ts'
import { type PlatformClient, path, query } from './client.ts'
import { until } from './follow.ts'

export interface LoggedTask {
  readonly dagId: string
  readonly runId: string
  readonly taskId: string
  readonly mapIndex: number | undefined
}

const WAITS_FOR_PLACE = new Set(['none', 'scheduled', 'queued'])

const logPath = ({ dagId, runId, taskId }: LoggedTask, tryNumber: number): string =>
  path`/api/v2/dags/${dagId}/dagRuns/${runId}/taskInstances/${taskId}/logs/${tryNumber}`

/** The lines of a try so far. */
export async function readLog(client: PlatformClient, task: LoggedTask, tryNumber: number, signal: AbortSignal): Promise<string[]> {
  const text = await client.text(logPath(task, tryNumber) + query({ map_index: task.mapIndex, full_content: true }), signal)
  return text === '' ? [] : text.trimEnd().split('\n')
}

/**
 * Gives out every line of a try as it is written, until the task is over: of each of its tries from the present one on, or of `wanted` alone.
 * A task that has not begun is waited for.
 */
export async function followLog(
  client: PlatformClient,
  task: LoggedTask,
  wanted: number | undefined,
  signal: AbortSignal,
  onLine: (line: string) => void,
): Promise<void> {
  let [shownTry, shown] = [0, 0]
  await until(signal, async () => {
    const instance = await client.get<InstanceView>(instancePath(task.dagId, task.runId, task.taskId, task.mapIndex), signal)
    const isOver = isAtRest(instance)
    const number = wanted ?? instance.try_number
    if (number === 0 || number > instance.try_number) return isOver ? true : null
    // A try that waits for its place may end without ever having begun: nobody would close its log.
    if (number === instance.try_number && WAITS_FOR_PLACE.has(instance.state ?? 'none')) return null
    if (number !== shownTry) [shownTry, shown] = [number, 0]
    let state: string | null = null
    const address = `${logPath(task, number)}/stream${query({ map_index: task.mapIndex })}`
    for await (const { type, data } of client.events(address, signal, shown)) {
      if (type === 'end') {
        state = (JSON.parse(data) as { state: string | null }).state
        break
      }
      const { timestamp, event } = JSON.parse(data) as { timestamp: string | null; event: string }
      onLine(timestamp === null ? event : `${timestamp} ${event}`)
      shown += 1
    }
    // A try that waits without a worker, or whose task is tried again, goes on later.
    return isOver || isAtRest({ ...instance, state }) || number < instance.try_number ? true : null
  })
}
