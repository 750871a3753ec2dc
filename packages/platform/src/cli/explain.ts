/** `daggerboard explain`: why a task does not run, what would free it, and when. */
import { type InstanceView, instancePath } from './airflow.ts'
import { command, required, text, wholeNumber } from './command.ts'
import type { Context } from './context.ts'
import { findRunAnywhere } from './find-run.ts'
import { oneLine } from './output.ts'

/** Airflow's answer with what we say besides. */
interface Dependencies {
  readonly state?: string | null
  readonly dependencies: readonly {
    readonly name: string
    readonly reason: string
    readonly freed_by?: string | null
    readonly at?: string | null
  }[]
}

interface Question {
  readonly run: string
  readonly taskId: string
  readonly dagId?: string | undefined
  readonly mapIndex?: number | undefined
}

export async function explainTask({ client, out, zone }: Context, { run, taskId, dagId, mapIndex }: Question): Promise<void> {
  const { dag_id, dag_run_id } = await findRunAnywhere(client, run, dagId, zone)
  const address = instancePath(dag_id, dag_run_id, taskId, mapIndex)
  const instance = await client.get<InstanceView>(address)
  const { dependencies, ...rest } = await client.get<Dependencies>(`${address}/dependencies`)
  const state = rest.state ?? instance.state ?? 'none'
  if (out.isData) return out.data({ dag_id, dag_run_id, task_id: taskId, map_index: instance.map_index, state, dependencies })
  const name = `Task "${taskId}"${mapIndex === undefined ? '' : ` [${mapIndex}]`} in run "${dag_run_id}" of DAG "${dag_id}"`
  out.line(`${name} is ${state === 'none' ? 'not scheduled yet' : state}.`)
  if (dependencies.length === 0) out.line('Nothing holds it back.')
  for (const { name, reason, freed_by, at } of dependencies) {
    out.line(`- ${oneLine(reason)} [${name}]`)
    if (freed_by) out.line(`    freed by: ${oneLine(freed_by)}`)
    if (at) out.line(`    at: ${at} (${distance(at, new Date())})`)
  }
}

/** `in 5 min`, `2 h ago`. */
function distance(at: string, now: Date): string {
  const seconds = Math.round((Date.parse(at) - now.getTime()) / 1000)
  const size = Math.abs(seconds)
  const [length, unit] =
    size < 90
      ? [size, 's']
      : size < 5400
        ? [Math.round(size / 60), 'min']
        : size < 129_600
          ? [Math.round(size / 3600), 'h']
          : [Math.round(size / 86_400), 'd']
  return seconds < 0 ? `${length} ${unit} ago` : `in ${length} ${unit}`
}

export const explain = command({
  name: 'explain',
  summary: 'Say why a task is not running: every dependency, limit and pool, what would free it, and when',
  args: { run: required('the run: DAG/RUN, or its id if no other DAG has the same'), taskId: required('id of the task') },
  options: { dagId: text('DAG', 'the DAG of the run', { short: '-d' }), mapIndex: wholeNumber('N', 'which instance of a mapped task', 0) },
  run: explainTask,
})
