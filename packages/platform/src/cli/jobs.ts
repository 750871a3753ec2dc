/** `daggerboard jobs …`: the parts of the platform that work by themselves. */
import { hostname as hostName } from 'node:os'
import { AppError } from '../core/app-error.ts'
import { query } from './client.ts'
import { choice, command, flag, text, wholeNumber, withDefault } from './command.ts'
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

/** What Airflow calls them, in the words of its health. */
const PARTS = { SchedulerJob: 'scheduler', TriggererJob: 'triggerer', DagProcessorJob: 'dag_processor' } as const

const check = command({
  name: 'check',
  summary: 'Say whether the scheduler is at work; status 1 if it is not',
  details: 'The whole platform is one process: --limit and --allow-multiple, which Airflow has for several, are taken and change nothing.',
  options: {
    jobType: choice(['SchedulerJob', 'TriggererJob', 'DagProcessorJob'], 'another part than the scheduler'),
    hostname: text('HOST', 'only if the platform runs on this machine'),
    local: flag('the same, with the name of this machine'),
    limit: wholeNumber('N', 'taken as it is', 0),
    allowMultiple: flag('taken as it is'),
  },
  async run({ client, out }, { jobType = 'SchedulerJob', hostname, local }) {
    if (local && hostname !== undefined)
      throw new AppError('invalid', 'Name the machine by --hostname, or take this one by --local, not both.', { exitStatus: 2 })
    const host = local ? hostName() : hostname
    const part = PARTS[jobType].replace('_', ' ')
    if (host !== undefined && (await client.list<JobView>(`/api/v2/jobs${query({ hostname: host })}`, 'jobs')).length === 0)
      throw new AppError('unavailable', `No ${part} runs on ${host}. See: daggerboard jobs list`)
    const health = await client.get<Record<string, { status: string | null }>>('/api/v2/monitor/health')
    if (health[PARTS[jobType]]?.status !== 'healthy')
      throw new AppError('unavailable', `The ${part} is not at work. The log of the platform says more.`)
    out.done(`The ${part} is at work.`, health)
  },
})

export const jobs = [list, check]
