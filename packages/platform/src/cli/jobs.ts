/** `daggerboard jobs …`: the parts of the platform that work by themselves. */
import { AppError } from '../core/app-error.ts'
import { query } from './client.ts'
import { choice, command, wholeNumber, withDefault } from './command.ts'
import type { Row } from './output.ts'

interface JobView extends Row {
  readonly job_type: string | null
  readonly state: string | null
}

const list = command({
  name: 'list',
  summary: 'List the jobs, newest first',
  options: {
    limit: withDefault(wholeNumber('N', 'at most so many', 1), 50),
    state: choice(['running', 'success', 'failed'], 'only jobs in this state'),
  },
  async run({ client, out }, { limit, state }) {
    const jobs = await client.list<JobView>(`/api/v2/jobs${query({ job_state: state, order_by: '-id' })}`, 'jobs', { most: limit })
    out.rows(jobs, ['id', 'job_type', 'state', 'start_date', 'latest_heartbeat', 'hostname'], 'There are no jobs.')
  },
})

const check = command({
  name: 'check',
  summary: 'Say whether the scheduler is at work; status 1 if it is not',
  async run({ client, out }) {
    const health = await client.get<Record<string, { status: string | null }>>('/api/v2/monitor/health')
    if (health.scheduler?.status !== 'healthy')
      throw new AppError('unavailable', 'The scheduler is not at work. The log of the platform says more.')
    out.done('The scheduler is at work.', health)
  },
})

export const jobs = [list, check]
