/** Jobs: submit, list, get, cancel, and the output of their drivers. */
import { isFinished, type Job, parseJobRequest } from '../../clusters/job.ts'
import type { Jobs } from '../../clusters/jobs.ts'
import { type Door, permit, requirePermission } from '../door.ts'
import { page, placeOf, ROOT, readBody } from './request.ts'
import { jobResource } from './resource.ts'

export function addJobRoutes(door: Door, jobs: Jobs): void {
  // The pattern keeps the router from reading ":submit" as the name of a parameter.
  door.post(`${ROOT}/:call{jobs:submit}`, permit('clusters.write'), async (c) => {
    const who = requirePermission(c, 'clusters.write')
    return c.json(jobResource(await jobs.submit(placeOf(c), parseJobRequest(await readBody(c)), who)))
  })

  door.get(`${ROOT}/jobs`, permit('clusters.read'), async (c) => {
    const clusterName = c.req.query('clusterName') ?? ''
    const state = c.req.query('jobStateMatcher') ?? 'ALL'
    const matching = (await jobs.list(placeOf(c))).filter(
      (job) => (clusterName === '' || job.clusterName === clusterName) && matches(job, state),
    )
    const { items, ...rest } = page(c, matching)
    return c.json({ jobs: items.map(jobResource), ...rest })
  })

  door.get(`${ROOT}/jobs/:job`, permit('clusters.read'), async (c) => c.json(jobResource(await jobs.find(placeOf(c), c.req.param('job')))))

  door.post(`${ROOT}/jobs/:call{[^/:]+:cancel}`, permit('clusters.write'), async (c) => {
    const { subject } = requirePermission(c, 'clusters.write')
    const id = c.req.param('call').replace(/:cancel$/, '')
    return c.json(jobResource(await jobs.cancel(placeOf(c), id, subject)))
  })

  // Ours: Dataproc's clients read the file in the bucket, which is complete when the job has ended.
  door.get(`${ROOT}/jobs/:job/output`, permit('clusters.read'), async (c) =>
    c.text(await jobs.output(await jobs.find(placeOf(c), c.req.param('job')))),
  )
}

/** Clients send the enum by name or by number: ALL 0, ACTIVE 1, NON_ACTIVE 2. */
function matches(job: Job, state: string): boolean {
  if (state === 'ACTIVE' || state === '1') return !isFinished(job)
  if (state === 'NON_ACTIVE' || state === '2') return isFinished(job)
  return true
}
