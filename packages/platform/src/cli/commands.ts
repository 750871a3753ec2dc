/** Every command that there is. */
import { assets } from './assets.ts'
import { backfill, dagsBackfill } from './backfill.ts'
import { config } from './config.ts'
import { connections } from './connections.ts'
import { dags } from './dags.ts'
import { explain } from './explain.ts'
import { jobs } from './jobs.ts'
import { platform } from './platform.ts'
import { pools } from './pools.ts'
import type { Commands } from './program.ts'
import { tasks } from './tasks.ts'
import { users } from './users.ts'
import { variables } from './variables.ts'

export const commands: Commands = {
  alone: [...platform, explain],
  groups: [
    { name: 'dags', summary: 'DAGs and their runs', commands: [...dags, dagsBackfill] },
    { name: 'tasks', summary: 'Tasks and their instances in runs', commands: tasks },
    { name: 'backfill', summary: 'Runs for intervals that have passed', commands: backfill },
    { name: 'assets', summary: 'What tasks make and DAGs wait for', commands: assets },
    { name: 'variables', summary: 'Values that DAGs read by name', commands: variables },
    { name: 'connections', summary: 'Where systems are and how to get in', commands: connections },
    { name: 'pools', summary: 'How many tasks may run at the same time', commands: pools },
    { name: 'config', summary: 'The settings of this machine', commands: config },
    { name: 'users', summary: 'Who may do what', commands: users },
    { name: 'jobs', summary: 'The parts of the platform that work by themselves', commands: jobs },
  ],
}
