/** Buckets over `/storage/v1`. */
import type { Buckets } from '../../buckets/bucket.ts'
import { AppError } from '../../core/app-error.ts'
import { type Door, permit, requirePermission } from '../door.ts'
import { bucketResource, originOf, readResource } from './resource.ts'

export function addBucketRoutes(door: Door, root: string, { buckets, project }: { buckets: Buckets; project: string }): void {
  const read = permit('buckets.read')
  const write = permit('buckets.write')

  door.get(`${root}/b`, read, async (c) => {
    const found = await buckets.list(c.req.query('project') ?? project, c.req.query('prefix'))
    return c.json({ kind: 'storage#buckets', items: found.map((bucket) => bucketResource(originOf(c), bucket)) })
  })

  door.post(`${root}/b`, write, async (c) => {
    const { name, location, storageClass, labels } = readBucket(await readResource(c))
    const createdBy = requirePermission(c, 'buckets.write').subject
    const bucket = await buckets.create({ name, project: c.req.query('project') ?? project, location, storageClass, labels, createdBy })
    return c.json(bucketResource(originOf(c), bucket))
  })

  door.get(`${root}/b/:bucket`, read, async (c) => c.json(bucketResource(originOf(c), await buckets.find(c.req.param('bucket')))))

  door.on(['PATCH', 'PUT'], [`${root}/b/:bucket`], write, async (c) => {
    const { labels, storageClass } = readBucket(await readResource(c))
    return c.json(bucketResource(originOf(c), await buckets.patch(c.req.param('bucket'), { labels, storageClass })))
  })

  door.delete(`${root}/b/:bucket`, write, async (c) => {
    await buckets.delete(c.req.param('bucket'))
    return c.body(null, 204)
  })
}

function readBucket(resource: Record<string, unknown>) {
  const problems: string[] = []
  const text = (field: string): string | undefined => {
    const value = resource[field]
    if (value === undefined || typeof value === 'string') return value
    problems.push(`${field} must be a text`)
    return undefined
  }
  const bucket = { name: text('name') ?? '', location: text('location'), storageClass: text('storageClass') }
  const labels = resource.labels as Record<string, string> | undefined
  if (labels && (typeof labels !== 'object' || Object.values(labels).some((value) => typeof value !== 'string')))
    problems.push('labels must be an object of texts')
  if (problems.length > 0) throw new AppError('invalid', 'This bucket cannot be made:', { problems })
  return { ...bucket, labels }
}
