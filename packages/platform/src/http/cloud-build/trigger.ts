/** Triggers: create, get, list, patch, delete, run. */
import type { RepoSource } from '../../builds/build.ts'
import type { Builds } from '../../builds/builds.ts'
import { camelCase } from '../../builds/read-fields.ts'
import { readRepoSource, readTrigger, type Trigger, type TriggerStore } from '../../builds/trigger.ts'
import { AppError, didYouMean } from '../../core/app-error.ts'
import type { Clock } from '../../core/clock.ts'
import { newId } from '../../core/id.ts'
import { type Door, permit } from '../door.ts'
import { askerOf, type CloudBuildContext, locationOf, originOf, projectOf, readBody, readCall } from './request.ts'
import { operationResource, triggerResource } from './resource.ts'

export interface TriggerRoutesOptions {
  readonly builds: Builds
  readonly triggers: TriggerStore
  readonly clock: Clock
}

export function addTriggerRoutes(door: Door, root: string, { builds, triggers, clock }: TriggerRoutesOptions): void {
  const find = async (c: CloudBuildContext, idOrName: string): Promise<Trigger> => {
    const trigger = await triggers.find(projectOf(c), idOrName)
    if (trigger) return trigger
    const names = (await triggers.list(projectOf(c))).map(({ name }) => name)
    throw new AppError('not_found', `There is no trigger "${idOrName}" in project "${projectOf(c)}".${didYouMean(idOrName, names)}`)
  }

  door.post(`${root}/triggers`, permit('builds.write'), async (c) => {
    const { projectId, by } = askerOf(c)
    const trigger: Trigger = {
      ...readTrigger(await readBody(c)),
      id: newId(),
      projectId,
      createTime: clock.now().toISOString(),
      createdBy: by,
    }
    await triggers.create(trigger)
    return c.json(triggerResource(trigger, locationOf(c)))
  })

  door.get(`${root}/triggers`, permit('builds.read'), async (c) =>
    c.json({ triggers: (await triggers.list(projectOf(c))).map((trigger) => triggerResource(trigger, locationOf(c))) }),
  )

  door.get(`${root}/triggers/:trigger`, permit('builds.read'), async (c) =>
    c.json(triggerResource(await find(c, c.req.param('trigger')), locationOf(c))),
  )

  door.patch(`${root}/triggers/:trigger`, permit('builds.write'), async (c) => {
    const old = await find(c, c.req.param('trigger'))
    const body = await readBody(c)
    const { id, projectId, createTime, createdBy, ...fields } = old
    const updated: Trigger = { ...readTrigger(masked(fields, body, c.req.query('updateMask'))), id, projectId, createTime, createdBy }
    await triggers.update(updated)
    return c.json(triggerResource(updated, locationOf(c)))
  })

  door.delete(`${root}/triggers/:trigger`, permit('builds.write'), async (c) => {
    await triggers.delete((await find(c, c.req.param('trigger'))).id)
    return c.json({})
  })

  door.post(`${root}/triggers/:call`, permit('builds.write'), async (c) => {
    const { name, verb } = readCall(c.req.param('call'))
    if (verb !== 'run') throw new AppError('not_found', `Triggers can be sent ":run", not ":${verb}".`)
    const source = runSource(await readBody(c))
    return c.json(operationResource(await builds.runTrigger(name, source, askerOf(c)), originOf(c)))
  })
}

/** Clients of the location form send `{source, triggerId}`, those of the short form the source itself. */
function runSource(body: Record<string, unknown>): RepoSource {
  const { name, projectId, triggerId, source, ...bare } = body
  return readRepoSource(source ?? bare)
}

/** Without a mask the body replaces what it names; with one, only the fields in it, which go when the body lacks them. */
function masked(old: object, body: Record<string, unknown>, updateMask: string | undefined): Record<string, unknown> {
  const given = Object.fromEntries(Object.entries(body).map(([key, value]) => [camelCase(key), value]))
  if (!updateMask) return { ...old, ...given }
  const result: Record<string, unknown> = { ...old }
  for (const path of updateMask.split(',')) {
    const field = camelCase(path.trim().split('.')[0] ?? '')
    if (given[field] === undefined) delete result[field]
    else result[field] = given[field]
  }
  return result
}
