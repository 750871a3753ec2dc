/** What a request makes of a service: its next generation, and a new revision where the template has changed. */
import { AppError } from '../core/app-error.ts'
import type { Clock } from '../core/clock.ts'
import { newId, randomHex } from '../core/id.ts'
import { type Revision, type RevisionDriver, revisionName } from './revision.ts'
import type { DeployedService, RevisionStore, ServiceSpec } from './service.ts'
import { checkTraffic } from './traffic.ts'

export interface DeployRequest {
  readonly project: string
  readonly location: string
  readonly name: string
  readonly spec: ServiceSpec
  /** Whether the caller stated the template: its tag is then looked up again, and an image that has moved makes a new revision. */
  readonly statesTemplate: boolean
  readonly by: string
}

export interface Change {
  readonly service: DeployedService
  readonly revision?: Revision
}

/**
 * Plans the change and keeps nothing of it. `image` is what the template's tag names now, or null when the template was not stated.
 * Throws `conflict` for a service of that name elsewhere, and `invalid` for traffic to revisions that are not there.
 */
export async function planChange(
  { project, location, name, spec, by }: DeployRequest,
  existing: DeployedService | null,
  image: string | null,
  { revisions, driver, clock }: { readonly revisions: RevisionStore; readonly driver: RevisionDriver; readonly clock: Clock },
): Promise<Change> {
  if (existing && (existing.project !== project || existing.location !== location))
    throw new AppError('conflict', `Service "${name}" exists already in ${existing.project}, ${existing.location}. Choose another name.`)
  const known = await revisions.list(name)
  checkTraffic(
    spec.traffic,
    known.map((each) => each.name),
  )
  const latest = known.find((each) => each.name === existing?.latestCreatedRevision)
  const isSame =
    JSON.stringify(existing?.template) === JSON.stringify(spec.template) && (image ?? latest?.template.image) === latest?.template.image
  const now = clock.now().toISOString()
  const generation = (existing?.generation ?? 0) + 1
  const revision: Revision | undefined =
    latest && isSame
      ? undefined
      : {
          ...{ name: revisionName(name, generation, randomHex(2).slice(0, 3)), service: name, uid: newId(), generation },
          template: { ...spec.template, image: image ?? (await driver.resolveImage(spec.template.image)) },
          ...{ state: 'deploying', detail: null, createdBy: by, createdAt: now, updatedAt: now },
        }
  const service: DeployedService = {
    ...{ uid: newId(), createdBy: by, createdAt: now, latestReadyRevision: null, serving: [] },
    ...existing,
    ...spec,
    ...{ name, project, location, generation, lastModifier: by, updatedAt: now },
    latestCreatedRevision: revision?.name ?? existing?.latestCreatedRevision ?? '',
    condition: { state: 'reconciling', message: 'The revision starts.', since: now },
  }
  return { service, ...(revision && { revision }) }
}
