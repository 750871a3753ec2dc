/** Progress of what takes long: looked at again and again until it is over. */
import { setTimeout as sleep } from 'node:timers/promises'
import { isRunOver, type RunView } from './airflow.ts'
import { type PlatformClient, path, query } from './client.ts'
import type { Context } from './context.ts'

const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 2000

/** Calls `look` until it answers something; the pauses grow while nothing happens. Throws when the user interrupts. */
export async function until<T>(signal: AbortSignal, look: () => Promise<T | null>): Promise<T> {
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 1.3, LONGEST_PAUSE_MS)) {
    const found = await look()
    if (found !== null) return found
    await sleep(pauseMs, undefined, { signal })
  }
}

/** `████░░░░ 12/40`. */
export function bar(done: number, total: number, width = 20): string {
  const full = total === 0 ? width : Math.round((Math.min(done, total) / total) * width)
  return `${'█'.repeat(full)}${'░'.repeat(width - full)} ${done}/${total}`
}

/** Shows how a run goes on until it is over, and answers it. */
export async function followRun({ client, terminal, signal }: Context, { dag_id: dag, dag_run_id: id }: RunView): Promise<RunView> {
  const run = await until(signal, async () => {
    const found = await client.get<RunView>(path`/api/v2/dags/${dag}/dagRuns/${id}`, signal)
    if (isRunOver(found.state)) return found
    const [total, done, running] = await Promise.all([
      countTasks(client, dag, id),
      countTasks(client, dag, id, DONE),
      countTasks(client, dag, id, ['running']),
    ])
    terminal.status(`${id}  ${found.state}  ${bar(done, total)} tasks${running > 0 ? `, ${running} running` : ''}`)
    return null
  })
  terminal.status('')
  return run
}

const DONE = ['success', 'failed', 'skipped', 'upstream_failed', 'removed']

async function countTasks(client: PlatformClient, dag: string, run: string, state?: readonly string[]): Promise<number> {
  const address = path`/api/v2/dags/${dag}/dagRuns/${run}/taskInstances` + query({ limit: 1, state })
  return (await client.get<{ total_entries: number }>(address)).total_entries
}
