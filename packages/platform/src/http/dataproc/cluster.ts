/** Clusters: create, list, get, delete, and the operations that clients wait for. */
import type { Clusters } from '../../clusters/clusters.ts'
import type { ClusterOperation } from '../../clusters/operation.ts'
import { AppError } from '../../core/app-error.ts'
import { type Door, permit, requirePermission } from '../door.ts'
import { page, placeOf, ROOT, readBody, textOf } from './request.ts'
import { clusterResource, operationResource } from './resource.ts'

export function addClusterRoutes(door: Door, clusters: Clusters): void {
  const answer = async (operation: ClusterOperation) => {
    const cluster = operation.endedAt === null ? null : await clusters.find(operation, operation.clusterName).catch(ifGone)
    return operationResource(operation, cluster)
  }

  door.post(`${ROOT}/clusters`, permit('clusters.write'), async (c) => {
    const { subject } = requirePermission(c, 'clusters.write')
    const body = await readBody(c)
    const operation = await clusters.create(placeOf(c), {
      name: textOf(body.clusterName) ?? '',
      config: record(body.config),
      labels: record(body.labels) as Record<string, string>,
      requestId: textOf(c.req.query('requestId')),
      by: subject,
    })
    return c.json(await answer(operation))
  })

  door.get(`${ROOT}/clusters`, permit('clusters.read'), async (c) => {
    const { items, ...rest } = page(c, await clusters.list(placeOf(c)))
    return c.json({ clusters: items.map(clusterResource), ...rest })
  })

  door.get(`${ROOT}/clusters/:cluster`, permit('clusters.read'), async (c) =>
    c.json(clusterResource(await clusters.find(placeOf(c), c.req.param('cluster')))),
  )

  door.delete(`${ROOT}/clusters/:cluster`, permit('clusters.write'), async (c) => {
    const { subject } = requirePermission(c, 'clusters.write')
    const place = placeOf(c)
    const name = c.req.param('cluster')
    const uuid = textOf(c.req.query('clusterUuid'))
    if (uuid !== null && (await clusters.find(place, name)).uuid !== uuid)
      throw new AppError('not_found', `Cluster "${name}" with the UUID ${uuid} does not exist; there is another one of that name.`)
    return c.json(await answer(await clusters.delete(place, name, textOf(c.req.query('requestId')), subject)))
  })

  door.post(`${ROOT}/clusters/:call{[^/]+:[a-z]+}`, permit('clusters.write'), (c) => {
    throw new AppError(
      'invalid',
      `"${c.req.param('call')}" is not supported: these clusters are created and deleted, not stopped or diagnosed. Dataproc itself can.`,
    )
  })

  door.get(`${ROOT}/operations`, permit('clusters.read'), async (c) => {
    const { items, ...rest } = page(c, await clusters.operations(placeOf(c)))
    return c.json({ operations: await Promise.all(items.map(answer)), ...rest })
  })

  door.get(`${ROOT}/operations/:operation`, permit('clusters.read'), async (c) =>
    c.json(await answer(await clusters.operation(placeOf(c), c.req.param('operation')))),
  )
}

const record = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {}

const ifGone = (error: unknown): null => {
  if (error instanceof AppError && error.code === 'not_found') return null
  throw error
}
