/** The tasks of a DAG in Airflow's words. */
import type { TaskDocument } from '@daggerboard/dag'
import { AppError, didYouMean } from '../../core/app-error.ts'
import { pageOfItems } from '../airflow-list.ts'
import { ordering, readQuery } from '../airflow-query.ts'
import { type Door, permit } from '../door.ts'
import type { AirflowDoorOptions } from './airflow-door.ts'
import { findDag } from './request.ts'

const ORDERS = {
  task_id: 'task_id',
  task_display_name: 'task_id',
  owner: 'owner',
  operator_name: 'operator_name',
  trigger_rule: 'trigger_rule',
} as const

export function addTaskRoutes(door: Door, { dags }: AirflowDoorOptions): void {
  door.get('/api/v2/dags/:dag/tasks', permit('dags.read'), async (c) => {
    const { document } = await findDag(dags, c.req.param('dag'))
    const { order_by } = readQuery(c.req, ordering(ORDERS))
    const page = { limit: document.tasks.length, offset: 0 }
    const tasks = pageOfItems(document.tasks.map(presentTask), page, order_by, (task, column) => task[column])
    return c.json({ tasks, total_entries: tasks.length })
  })

  door.get('/api/v2/dags/:dag/tasks/:task', permit('dags.read'), async (c) => {
    const { document } = await findDag(dags, c.req.param('dag'))
    const id = c.req.param('task')
    const task = document.tasks.find(({ taskId }) => taskId === id)
    if (task) return c.json(presentTask(task))
    const known = document.tasks.map(({ taskId }) => taskId)
    throw new AppError('not_found', `DAG "${document.dagId}" has no task "${id}".${didYouMean(id, known)}`)
  })
}

const timeDelta = (seconds: number | null) =>
  seconds === null
    ? null
    : {
        __type: 'TimeDelta',
        days: Math.floor(seconds / 86_400),
        seconds: Math.floor(seconds % 86_400),
        microseconds: Math.round((seconds % 1) * 1e6),
      }

const presentTask = (task: TaskDocument) => ({
  task_id: task.taskId,
  task_display_name: task.taskId,
  owner: task.owner,
  operator_name: task.operator,
  class_ref: { module_path: null, class_name: task.operator },
  upstream_task_ids: task.upstream,
  downstream_task_ids: task.downstream,
  trigger_rule: task.triggerRule,
  retries: task.retries,
  retry_delay: timeDelta(task.retryDelaySeconds),
  retry_exponential_backoff: task.retryBackoff,
  execution_timeout: timeDelta(task.executionTimeoutSeconds),
  depends_on_past: task.dependsOnPast,
  wait_for_downstream: task.waitForDownstream,
  is_mapped: task.expand !== null,
  doc_md: task.docMd,
  start_date: null,
  end_date: null,
  extra_links: [],
  params: {},
  pool: task.pool,
  pool_slots: task.poolSlots,
  priority_weight: task.priorityWeight,
  weight_rule: task.weightRule,
  queue: 'default',
  template_fields: typeof task.args === 'object' && task.args !== null ? Object.keys(task.args) : [],
  ui_color: '#e8f7e4',
  ui_fgcolor: '#000',
  // Ours: the group that the task stands in, and what kind of task it is.
  task_group_id: task.groupId,
  role: task.role,
})
