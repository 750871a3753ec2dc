/** The door of the services: Cloud Run's Admin API, version 2. */
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { Readable } from 'node:stream'
import type { Context } from 'hono'
import { AppError } from '../../core/app-error.ts'
import type { DeployedService, Operation } from '../../services/service.ts'
import type { Services } from '../../services/services.ts'
import { readObject } from '../body.ts'
import { readRange } from '../byte-range.ts'
import { createDoor, type Door, type DoorEnvironment, googleErrorBody, permit, requirePermission } from '../door.ts'
import { operationResource, readService, revisionResource, serviceName, serviceResource } from './resource.ts'

export interface RunDoorOptions {
  readonly services: Services
  readonly onInternalError?: (error: unknown) => void
}

type Json = Record<string, unknown>
type DoorContext = Context<DoorEnvironment>

const PARENT = '/v2/projects/:project/locations/:location'

/** Mount it at `/`. */
export function runDoor({ services, onInternalError = console.error }: RunDoorOptions): Door {
  const door = createDoor({ errorBody: googleErrorBody, onInternalError })
  const read = permit('services.read')
  const write = permit('services.write')

  door.get(`${PARENT}/services`, read, async (c) => {
    const { project, location } = c.req.param()
    const found = (await services.list()).filter((s) => s.project === project && (location === '-' || s.location === location))
    return c.json({ services: found.map(resourceOf) })
  })

  door.post(`${PARENT}/services`, write, async (c) => {
    const resource = await readObject(c.req.raw)
    const name =
      c.req.query('serviceId') ??
      String(resource.name ?? '')
        .split('/')
        .at(-1) ??
      ''
    if ((await services.list()).some((known) => known.name === name))
      throw new AppError('conflict', `Service "${name}" exists already. Change it with PATCH.`)
    return deploy(c, name, resource, true)
  })

  door.get(`${PARENT}/services/:service`, read, async (c) => {
    const [name, verb] = splitVerb(c)
    const service = await find(c, name)
    if (verb === 'getIamPolicy') return c.json(policyOf(service))
    return c.json(resourceOf(service))
  })

  door.patch(`${PARENT}/services/:service`, write, async (c) => {
    const { service: name } = c.req.param()
    const body = await readObject(c.req.raw)
    const mask = (c.req.query('updateMask') ?? '').split(',').map(camelCase).filter(Boolean)
    const exists = (await services.list()).some((known) => known.name === name)
    if (!exists && c.req.query('allowMissing') !== 'true') await services.find(name)
    if (!exists) return deploy(c, name, body, true)
    const current = resourceOf(await find(c, name))
    // Without a mask, whatever the body states is changed.
    const paths = mask.length === 0 || mask.includes('*') ? Object.keys(body) : mask
    const resource = structuredClone(current)
    for (const path of paths) copyPath(body, resource, path.split('.'))
    const statesTemplate = paths.some((path) => path.split('.')[0] === 'template')
    return deploy(c, name, resource, statesTemplate)
  })

  door.delete(`${PARENT}/services/:service`, write, async (c) => {
    const service = await find(c, c.req.param('service'))
    return answer(c, await services.delete(service.name, requirePermission(c, 'services.write').subject))
  })

  door.post(`${PARENT}/services/:service`, write, async (c) => {
    const [name, verb] = splitVerb(c)
    const service = await find(c, name)
    const { policy } = (await readObject(c.req.raw)) as { policy?: { bindings?: { role?: string; members?: string[] }[] } }
    if (verb !== 'setIamPolicy') throw new AppError('not_found', `A service has no method "${verb}".`)
    const isPublic = (policy?.bindings ?? []).some(({ role, members }) => role === 'roles/run.invoker' && members?.includes('allUsers'))
    await deploy(c, name, { ...resourceOf(service), invokerIamDisabled: isPublic }, false)
    return c.json(policyOf(await services.find(name)))
  })

  door.get(`${PARENT}/services/:service/revisions`, read, async (c) => {
    const service = await find(c, c.req.param('service'))
    const revisions = await services.listRevisions(service.name)
    return c.json({ revisions: revisions.map((revision) => revisionResource(service, revision)) })
  })

  door.get(`${PARENT}/services/:service/revisions/:revision`, read, async (c) => {
    const service = await find(c, c.req.param('service'))
    return c.json(revisionResource(service, await services.findRevision(service.name, c.req.param('revision'))))
  })

  door.delete(`${PARENT}/services/:service/revisions/:revision`, write, async (c) => {
    const { project, location, service: name, revision: revisionName } = c.req.param()
    const service = await find(c, name)
    const revision = revisionResource(service, await services.findRevision(name, revisionName))
    await services.deleteRevision(name, revisionName)
    const response = { '@type': 'type.googleapis.com/google.cloud.run.v2.Revision', ...revision }
    return c.json({ name: `projects/${project}/locations/${location}/operations/done`, done: true, metadata: response, response })
  })

  door.get(`${PARENT}/services/:service/revisions/:revision/log`, read, async (c) => {
    const { service, revision } = c.req.param()
    await find(c, service)
    await services.findRevision(service, revision)
    return sendLog(c, services.logFile(revision))
  })

  door.get(`${PARENT}/operations/:operation`, read, async (c) => answer(c, await services.findOperation(c.req.param('operation'))))

  async function deploy(c: DoorContext, name: string, resource: Json, statesTemplate: boolean): Promise<Response> {
    const { project = '', location = '' } = c.req.param() as Record<string, string>
    const { subject: by } = requirePermission(c, 'services.write')
    const spec = readService(resource)
    if (c.req.query('validateOnly') === 'true') return c.json({ name: '', done: true })
    return answer(c, await services.deploy({ project, location, name, spec, statesTemplate, by }))
  }

  async function answer(c: DoorContext, operation: Operation): Promise<Response> {
    const { project, location } = c.req.param() as Record<string, string>
    const service = (await services.list()).find(({ name }) => name === operation.service)
    return c.json(operationResource(`projects/${project}/locations/${location}`, operation, service ? resourceOf(service) : null))
  }

  /** The service, if it is where the path says. */
  async function find(c: DoorContext, name: string): Promise<DeployedService> {
    const { project, location } = c.req.param() as Record<string, string>
    const service = await services.find(name)
    if (service.project === project && service.location === location) return service
    throw new AppError('not_found', `There is no service "${name}" in ${project}, ${location}. It is at ${serviceName(service)}.`)
  }

  const resourceOf = (service: DeployedService): Json => serviceResource(service, services.uriOf(service.name))

  return door
}

const splitVerb = (c: DoorContext): [string, string] => {
  const [name = '', verb = ''] = (c.req.param('service') ?? '').split(':', 2)
  return [name, verb]
}

const policyOf = ({ isPublic }: DeployedService): Json => ({
  version: 1,
  etag: 'BwXhqDKZSDQ=',
  bindings: isPublic ? [{ role: 'roles/run.invoker', members: ['allUsers'] }] : [],
})

const camelCase = (path: string): string => path.trim().replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())

/** Copies what stands at `path`, or takes it away where `from` has nothing there. */
function copyPath(from: Json, to: Json, [field = '', ...rest]: string[]): void {
  if (field === '__proto__' || field === 'constructor') return
  const [source, target] = [from[field], to[field]]
  const isNested = rest.length > 0 && isObject(target) && !Array.isArray(target)
  if (isNested) copyPath(isObject(source) ? source : {}, target, rest)
  else if (source === undefined) delete to[field]
  else to[field] = source
}

const isObject = (value: unknown): value is Json => value !== null && typeof value === 'object'

async function sendLog(c: DoorContext, path: string): Promise<Response> {
  const size = await stat(path).then(
    (file) => file.size,
    () => 0,
  )
  const header = c.req.header('range')
  // Who asks for bytes from beyond the end has read a log that was begun anew since: the whole of this one is the answer.
  const isBegunAnew = Number(/^bytes=(\d+)-$/.exec(header ?? '')?.[1] ?? 0) > size
  const range = isBegunAnew ? null : readRange(header, size)
  if (range === 'unsatisfiable') return new Response(null, { status: 416, headers: { 'Content-Range': `bytes */${size}` } })
  const stream = size === 0 ? null : (Readable.toWeb(createReadStream(path, range ?? { start: 0, end: size - 1 })) as ReadableStream)
  return new Response(stream, {
    status: range ? 206 : 200,
    headers: {
      'Content-Type': 'text/plain; charset=utf-8',
      'X-Content-Type-Options': 'nosniff',
      'Cache-Control': 'no-store',
      'Accept-Ranges': 'bytes',
      'Content-Length': String(range ? range.end - range.start + 1 : size),
      ...(range && { 'Content-Range': `bytes ${range.start}-${range.end}/${size}` }),
    },
  })
}
