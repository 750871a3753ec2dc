/** `gcloud run`: deploy, describe, list, delete, traffic and revisions, over Cloud Run's Admin API (v2). */
import { setTimeout as sleep } from 'node:timers/promises'
import { AppError } from '../../../core/app-error.ts'
import { randomHex } from '../../../core/id.ts'
import type { Command, Flags, Invocation } from './command.ts'
import { deployedService, NO_EFFECT, type RemoteService, TEMPLATE_FLAGS } from './gcloud-run-template.ts'

interface RemoteRevision {
  readonly name: string
  readonly createTime: string
  readonly containers?: { image: string }[]
  readonly annotations?: Record<string, string>
}

interface RemoteOperation {
  readonly name: string
  readonly done?: boolean
  readonly error?: { message: string }
}

const POLL_MS = 200
/** How many times in a row the platform may be out of reach while a deployment is waited for. */
const PATIENCE = 40

const place: Flags = { region: { kind: 'string' }, platform: { kind: 'string' }, format: { kind: 'string' } }
const oneService = { minimum: 1, maximum: 1, names: 'the name of a service' }

export const runCommands: readonly Command[] = [
  { path: ['run', 'deploy'], positionals: oneService, flags: { ...place, ...TEMPLATE_FLAGS, async: { kind: 'boolean' } }, run: deploy },
  {
    path: ['run', 'services', 'describe'],
    positionals: oneService,
    flags: place,
    run: async (call) => {
      show(call, await findService(call, call.positionals[0] ?? ''))
      return 0
    },
  },
  {
    path: ['run', 'services', 'list'],
    flags: place,
    run: async (call) => {
      const parent = parentOf(call, '-')
      const { services = [] } = await call.endpoint.json<{ services?: RemoteService[] }>(`${parent}/services`)
      if (call.flags.has('format')) {
        if (call.flags.string('format') === 'json') call.print(JSON.stringify(services.map(knative), null, 2))
        else for (const service of services) show(call, service)
        return 0
      }
      call.print(['SERVICE', 'REGION', 'URL', 'LAST DEPLOYED BY', 'LAST DEPLOYED AT'].join('  '))
      for (const { name, uri, lastModifier, updateTime } of services)
        call.print([name.split('/').at(-1), name.split('/')[3], uri, lastModifier, updateTime].join('  '))
      return 0
    },
  },
  {
    path: ['run', 'services', 'delete'],
    positionals: oneService,
    flags: { ...place, async: { kind: 'boolean' } },
    run: async (call) => {
      const name = call.positionals[0] ?? ''
      const operation = await call.endpoint.json<RemoteOperation>(`${parentOf(call)}/services/${name}`, {
        method: 'DELETE',
        signal: call.signal,
      })
      if (!call.flags.boolean('async')) await finished(call, operation)
      call.say(`Deleted service [${name}].`)
      return 0
    },
  },
  {
    path: ['run', 'services', 'update-traffic'],
    positionals: oneService,
    flags: { ...place, 'to-revisions': { kind: 'map' }, 'to-latest': { kind: 'boolean' } },
    run: updateTraffic,
  },
  {
    path: ['run', 'revisions', 'list'],
    flags: { ...place, service: { kind: 'string' } },
    run: async (call) => {
      const service = call.flags.string('service')
      if (!service) throw new AppError('invalid', 'Say whose revisions to list: --service NAME.')
      const { revisions = [] } = await call.endpoint.json<{ revisions?: RemoteRevision[] }>(
        `${parentOf(call)}/services/${service}/revisions`,
      )
      if (call.flags.string('format') === 'json') call.print(JSON.stringify(revisions, null, 2))
      else {
        call.print(['REVISION', 'STATE', 'SERVICE', 'DEPLOYED', 'IMAGE'].join('  '))
        for (const { name, annotations, createTime, containers } of revisions)
          call.print(
            [name.split('/').at(-1), annotations?.['daggerboard.dev/state'], service, createTime, containers?.[0]?.image].join('  '),
          )
      }
      return 0
    },
  },
]

async function deploy(call: Invocation): Promise<number> {
  const { flags, endpoint, signal, say } = call
  const name = call.positionals[0] ?? ''
  const path = `${parentOf(call)}/services/${name}`
  for (const flag of NO_EFFECT) if (flags.has(flag)) say(`--${flag} has no effect: the process driver sets no such limits.`)
  const response = await endpoint.fetch(path, { signal })
  const existing = response.status === 404 ? null : await endpoint.json<RemoteService>(path, { signal })
  await response.body?.cancel()
  // As gcloud does: a nonce, so that every deployment makes a revision, also from the image that runs already.
  const service = deployedService(flags, existing, randomHex(5))
  const route = flags.boolean('traffic', true) ? {} : keepTraffic(existing)
  say(`Deploying container to Cloud Run service [${name}] in project [${call.project}] region [${regionOf(call)}]`)
  const mask = ['template', 'labels', ...(flags.has('allow-unauthenticated') ? ['invokerIamDisabled'] : []), ...Object.keys(route)]
  const operation = await endpoint.json<RemoteOperation>(`${path}?allowMissing=true&updateMask=${mask.join(',')}`, {
    method: 'PATCH',
    json: { ...service, ...route },
    signal,
  })
  if (flags.boolean('async')) return 0
  say(existing ? 'Deploying...' : 'Deploying new service...')
  await finished(call, operation)
  const deployed = await findService(call, name)
  report(call, name, deployed)
  if (flags.has('format')) show(call, deployed)
  return 0
}

async function updateTraffic(call: Invocation): Promise<number> {
  const name = call.positionals[0] ?? ''
  const { flags, endpoint, signal, say } = call
  const targets = [...flags.map('to-revisions')].map(([revision, percent]) =>
    revision === 'LATEST' ? latest(Number(percent)) : pinned(revision, Number(percent)),
  )
  if (flags.boolean('to-latest')) targets.push(latest(100))
  if (targets.length === 0) throw new AppError('invalid', 'Say where the traffic goes: --to-latest, or --to-revisions REVISION=PERCENT.')
  const path = `${parentOf(call)}/services/${name}?updateMask=traffic`
  say('Updating traffic...')
  await finished(call, await endpoint.json<RemoteOperation>(path, { method: 'PATCH', json: { traffic: targets }, signal }))
  const service = await findService(call, name)
  for (const { revision, percent } of service.trafficStatuses ?? []) say(`  ${percent}% ${revision}`)
  say(`Service URL: ${service.uri}`)
  return 0
}

const latest = (percent: number) => ({ type: 'TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST', percent })
const pinned = (revision: string, percent: number) => ({ type: 'TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION', revision, percent })

/** `--no-traffic`: who serves now goes on serving. */
function keepTraffic(existing: RemoteService | null) {
  if (!existing) throw new AppError('invalid', '--no-traffic is not for a new service: its first revision has to serve.')
  return { traffic: (existing.trafficStatuses ?? []).map(({ revision, percent }) => pinned(revision, percent)) }
}

function report(call: Invocation, name: string, service: RemoteService): void {
  const { say } = call
  const revision = service.latestCreatedRevision?.split('/').at(-1) ?? ''
  const percent = service.trafficStatuses?.find((status) => status.revision === revision)?.percent ?? 0
  say('Done.')
  say(`Service [${name}] revision [${revision}] has been deployed and is serving ${percent} percent of traffic.`)
  if (percent < 100 && call.flags.boolean('traffic', true)) sayPinned(call, name, service)
  say(`Service URL: ${service.uri}`)
}

/** After a rollback or a division of the traffic, deployments no longer take it over: whoever deploys must not miss that. */
function sayPinned(call: Invocation, name: string, { trafficStatuses = [] }: RemoteService): void {
  const serving = trafficStatuses.map(({ revision, percent }) => `${percent}% ${revision}`).join(', ')
  call.say(`WARNING: The traffic of service [${name}] is pinned (${serving}), so the new revision does not take it over.`)
  call.say('To send it all of the traffic, now and after each further deployment, run:')
  call.say(`  gcloud run services update-traffic ${name} --to-latest --project=${call.project} --region=${regionOf(call)}`)
}

async function finished(call: Invocation, operation: RemoteOperation): Promise<void> {
  let current = operation
  for (let failures = 0; !current.done; ) {
    await sleep(POLL_MS, undefined, { signal: call.signal })
    try {
      current = await call.endpoint.json<RemoteOperation>(`/v2/${operation.name}`, { signal: call.signal })
      failures = 0
    } catch (error) {
      if (!(error instanceof AppError && error.code === 'unavailable') || ++failures > PATIENCE) throw error
    }
  }
  if (current.error) throw new AppError('unavailable', current.error.message)
}

const findService = (call: Invocation, name: string): Promise<RemoteService> =>
  call.endpoint.json<RemoteService>(`${parentOf(call)}/services/${encodeURIComponent(name)}`, { signal: call.signal })

const regionOf = ({ flags, environment }: Invocation): string =>
  flags.string('region') ?? environment.CLOUDSDK_RUN_REGION ?? environment.CLOUDSDK_COMPUTE_REGION ?? 'us-central1'

function parentOf(call: Invocation, anywhere?: string): string {
  const platform = call.flags.string('platform') ?? 'managed'
  if (platform !== 'managed')
    throw new AppError(
      'invalid',
      `--platform ${platform} is not supported here: services run on the platform itself. Use --platform managed.`,
    )
  const region = call.flags.has('region') ? regionOf(call) : (anywhere ?? regionOf(call))
  return `/v2/projects/${encodeURIComponent(call.project)}/locations/${encodeURIComponent(region)}`
}

/** The service as scripts know it from gcloud, which speaks Knative's words (`status.url`). */
const knative = (service: RemoteService) => ({
  apiVersion: 'serving.knative.dev/v1',
  kind: 'Service',
  metadata: { name: service.name.split('/').at(-1), labels: service.labels },
  spec: { template: service.template },
  status: {
    url: service.uri,
    address: { url: service.uri },
    latestCreatedRevisionName: service.latestCreatedRevision?.split('/').at(-1),
    latestReadyRevisionName: service.latestReadyRevision?.split('/').at(-1),
    traffic: (service.trafficStatuses ?? []).map(({ revision, percent }) => ({ revisionName: revision, percent })),
    conditions: [{ type: 'Ready', message: service.terminalCondition?.message, status: service.terminalCondition?.state }],
  },
})

function show({ flags, print }: Invocation, service: RemoteService): void {
  const format = flags.string('format') ?? 'json'
  const [, paths] = /^value\((.+)\)$/.exec(format) ?? []
  if (!paths && format !== 'json') throw new AppError('invalid', `--format "${format}" is not supported here: use json or value(FIELD,…).`)
  const object: unknown = { ...service, ...knative(service) }
  const valueAt = (path: string): string => {
    const value = path
      .trim()
      .split('.')
      .reduce<unknown>((at, field) => (at as Record<string, unknown> | undefined)?.[field], object)
    return value === undefined ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value)
  }
  print(paths ? paths.split(',').map(valueAt).join('\t') : JSON.stringify(object, null, 2))
}
