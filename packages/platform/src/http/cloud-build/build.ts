/** Builds: create, get, list, cancel, retry; and the operations that stand for them. */
import type { Build } from '../../builds/build.ts'
import type { Builds } from '../../builds/builds.ts'
import { AppError } from '../../core/app-error.ts'
import { type Door, permit } from '../door.ts'
import { parseFilter } from './filter.ts'
import { askerOf, type CloudBuildContext, originOf, projectOf, readBody, readCall } from './request.ts'
import { buildOfOperation, buildResource, operationResource } from './resource.ts'

export interface BuildRoutesOptions {
  readonly builds: Builds
}

const DEFAULT_PAGE = 100
const LARGEST_PAGE = 1000

export function addBuildRoutes(door: Door, root: string, { builds }: BuildRoutesOptions): void {
  door.post(`${root}/builds`, permit('builds.write'), async (c) => {
    const { parent, ...body } = await readBody(c)
    return c.json(operationResource(await builds.create(body, askerOf(c)), originOf(c)))
  })

  door.get(`${root}/builds`, permit('builds.read'), async (c) => {
    const { builds: page, nextPageToken } = await listPage(builds, c)
    return c.json({ builds: page.map((build) => buildResource(build, originOf(c))), ...(nextPageToken ? { nextPageToken } : {}) })
  })

  door.get(`${root}/builds/:id`, permit('builds.read'), async (c) =>
    c.json(buildResource(await builds.find(projectOf(c), c.req.param('id')), originOf(c))),
  )

  door.post(`${root}/builds/:call`, permit('builds.write'), async (c) => {
    const { name, verb } = readCall(c.req.param('call'))
    if (verb === 'cancel') return c.json(buildResource(await builds.cancel(projectOf(c), name), originOf(c)))
    if (verb === 'retry') return c.json(operationResource(await builds.retry(name, askerOf(c)), originOf(c)))
    throw new AppError('not_found', `Builds can be sent ":cancel" and ":retry", not ":${verb}".`)
  })

  const operation = async (c: CloudBuildContext) => {
    const path = new URL(c.req.url).pathname
    const found = buildOfOperation(path.slice(path.indexOf('operations/')))
    if (!found) throw new AppError('not_found', `There is no operation "${path.slice('/v1/'.length)}".`)
    return c.json(operationResource(await builds.find(found.projectId, found.buildId), originOf(c)))
  }
  if (!root.includes(':location')) door.get('/v1/operations/build/:project/:operation', permit('builds.read'), operation)
  else door.get(`${root}/operations/build/:owner/:operation`, permit('builds.read'), operation)
}

/** Clients leave the size out, or send 0, when they do not mind. */
function pageSizeOf(given: string): number {
  if (!/^\d{0,9}$/.test(given))
    throw new AppError('invalid', `pageSize=${given} is not a whole number. Send one from 1 to ${LARGEST_PAGE}.`)
  return Math.min(Number(given) || DEFAULT_PAGE, LARGEST_PAGE)
}

/** The page after `pageToken` (the last build of the page before). With a filter, looks on until the page is full. */
async function listPage(builds: Builds, c: CloudBuildContext): Promise<{ builds: Build[]; nextPageToken: string | null }> {
  const passes = parseFilter(c.req.query('filter') ?? '')
  const size = pageSizeOf(c.req.query('pageSize') ?? '')
  const page: Build[] = []
  let after = c.req.query('pageToken') || undefined
  while (true) {
    const batch = await builds.list({ projectId: projectOf(c), limit: size + 1, ...(after ? { after } : {}) })
    for (const build of batch) {
      if (!passes(build)) continue
      if (page.length === size) return { builds: page, nextPageToken: page.at(-1)?.id ?? null }
      page.push(build)
    }
    if (batch.length <= size) return { builds: page, nextPageToken: null }
    after = batch.at(-1)?.id
  }
}
