/** Services, revisions and operations as Cloud Run's Admin API (v2) words them in JSON, and back. */
import { AppError } from '../../core/app-error.ts'
import { DEFAULT_PROBE, type Probe } from '../../services/readiness.ts'
import type { Revision, Template } from '../../services/revision.ts'
import type { DeployedService, Operation, ServiceSpec } from '../../services/service.ts'
import { TO_LATEST, type TrafficTarget } from '../../services/traffic.ts'

type Json = Record<string, unknown>

const CONDITIONS = { reconciling: 'CONDITION_RECONCILING', succeeded: 'CONDITION_SUCCEEDED', failed: 'CONDITION_FAILED' } as const
const LATEST = 'TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST'
const REVISION = 'TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION'

export const serviceName = ({ project, location, name }: Pick<DeployedService, 'project' | 'location' | 'name'>): string =>
  `projects/${project}/locations/${location}/services/${name}`

export function serviceResource(service: DeployedService, uri: string): Json {
  const name = serviceName(service)
  const { condition, serving, latestReadyRevision } = service
  const terminalCondition = {
    type: 'Ready',
    state: CONDITIONS[condition.state],
    message: condition.message,
    lastTransitionTime: condition.since,
    ...(condition.state === 'failed' && { severity: 'ERROR', revisionReason: 'HEALTH_CHECK_CONTAINER_ERROR' }),
  }
  return {
    name,
    description: service.description,
    uid: service.uid,
    generation: String(service.generation),
    labels: service.labels,
    annotations: service.annotations,
    createTime: service.createdAt,
    updateTime: service.updatedAt,
    creator: service.createdBy,
    lastModifier: service.lastModifier,
    ingress: 'INGRESS_TRAFFIC_ALL',
    launchStage: 'GA',
    invokerIamDisabled: service.isPublic,
    template: templateResource(service.template),
    traffic: service.traffic.map(({ revision, percent }) =>
      revision === null ? { type: LATEST, percent } : { type: REVISION, revision, percent },
    ),
    observedGeneration: String(service.generation),
    terminalCondition,
    conditions: [{ ...terminalCondition, type: 'RoutesReady' }],
    latestCreatedRevision: `${name}/revisions/${service.latestCreatedRevision}`,
    ...(latestReadyRevision && { latestReadyRevision: `${name}/revisions/${latestReadyRevision}` }),
    trafficStatuses: serving.map(({ revision, percent }) => ({ type: REVISION, revision, percent, uri })),
    uri,
    urls: [uri],
    reconciling: condition.state === 'reconciling',
    etag: `"${service.generation}-${Date.parse(service.updatedAt)}"`,
  }
}

const templateResource = (template: Template): Json => ({
  labels: template.labels,
  annotations: template.annotations,
  timeout: `${template.timeoutSeconds}s`,
  containers: [containerResource(template)],
})

const containerResource = ({ image, command, args, env, port, probe }: Template): Json => ({
  image,
  command,
  args,
  env: Object.entries(env).map(([name, value]) => ({ name, value })),
  ports: [{ name: 'http1', containerPort: port }],
  startupProbe: {
    initialDelaySeconds: probe.initialDelaySeconds,
    timeoutSeconds: 1,
    periodSeconds: 1,
    failureThreshold: probe.timeoutSeconds,
    ...(probe.path === null ? { tcpSocket: { port } } : { httpGet: { path: probe.path, port } }),
  },
})

export function revisionResource(service: DeployedService, revision: Revision): Json {
  const state = { deploying: 'CONDITION_RECONCILING', failed: 'CONDITION_FAILED' }[revision.state as string] ?? 'CONDITION_SUCCEEDED'
  return {
    name: `${serviceName(service)}/revisions/${revision.name}`,
    uid: revision.uid,
    generation: String(revision.generation),
    labels: revision.template.labels,
    annotations: {
      ...revision.template.annotations,
      'daggerboard.dev/state': revision.state,
      'daggerboard.dev/creator': revision.createdBy,
    },
    createTime: revision.createdAt,
    updateTime: revision.updatedAt,
    service: service.name,
    timeout: `${revision.template.timeoutSeconds}s`,
    containers: [containerResource(revision.template)],
    reconciling: revision.state === 'deploying',
    conditions: [
      { type: 'Ready', state, message: revision.detail ?? '', lastTransitionTime: revision.updatedAt },
      { type: 'Active', state: revision.state === 'ready' ? 'CONDITION_SUCCEEDED' : 'CONDITION_FAILED', message: revision.state },
    ],
    observedGeneration: String(revision.generation),
    logUri: `/v2/${serviceName(service)}/revisions/${revision.name}/log`,
  }
}

/** `service` null: it has been deleted. */
export function operationResource(parent: string, operation: Operation, service: Json | null): Json {
  const type = 'type.googleapis.com/google.cloud.run.v2.Service'
  const named = { '@type': type, ...(service ?? { name: `${parent}/services/${operation.service}` }) }
  return {
    name: `${parent}/operations/${operation.id}`,
    metadata: named,
    done: operation.isDone,
    ...(operation.isDone && (operation.error ? { error: { code: 9, message: operation.error } } : { response: named })),
  }
}

/** Reads a whole service; throws `invalid` with all that is wrong or is not supported here. */
export function readService(resource: Json): ServiceSpec {
  const problems: string[] = []
  const template = readTemplate(objectOf(resource.template), problems)
  const traffic = listOf(resource.traffic).map((target) => readTarget(target, problems))
  if (problems.length > 0) throw new AppError('invalid', 'This service cannot be deployed:', { problems })
  return {
    description: String(resource.description ?? ''),
    labels: textsOf(resource.labels),
    annotations: textsOf(resource.annotations),
    isPublic: resource.invokerIamDisabled === true,
    template,
    traffic: traffic.length > 0 ? traffic : TO_LATEST,
  }
}

function readTemplate(template: Json, problems: string[]): Template {
  const [container = {}, ...others] = listOf(template.containers)
  if (others.length > 0) problems.push('template.containers: a revision has one container here; use the container driver for sidecars')
  if (typeof container.image !== 'string' || container.image === '') problems.push('template.containers[0].image is missing')
  if (listOf(container.volumeMounts).length > 0) problems.push('template.containers[0].volumeMounts: the process driver has no volumes')
  const env: Record<string, string> = {}
  for (const { name, value, valueSource } of listOf(container.env)) {
    if (valueSource) problems.push(`the environment variable ${name} comes from a secret: give its value, secrets are not supported yet`)
    else env[String(name)] = String(value ?? '')
  }
  return {
    image: String(container.image ?? ''),
    command: listOf<string>(container.command),
    args: listOf<string>(container.args),
    env,
    port: Number(listOf(container.ports)[0]?.containerPort ?? 8080),
    labels: textsOf(template.labels),
    annotations: textsOf(template.annotations),
    timeoutSeconds: secondsOf(template.timeout, 300),
    probe: readProbe(objectOf(container.startupProbe), problems),
  }
}

function readProbe(probe: Json, problems: string[]): Probe {
  if (probe.grpc) problems.push('startupProbe.grpc is not supported by the process driver: use httpGet or tcpSocket')
  if (Object.keys(probe).length === 0) return DEFAULT_PROBE
  const tries = Number(probe.failureThreshold || 3)
  return {
    path: probe.httpGet ? String(objectOf(probe.httpGet).path || '/') : null,
    initialDelaySeconds: Number(probe.initialDelaySeconds ?? 0),
    timeoutSeconds: Math.min(tries * Number(probe.periodSeconds || 10), 240),
  }
}

function readTarget(target: Json, problems: string[]): TrafficTarget {
  if (target.tag) problems.push(`traffic tag "${target.tag}" is not supported: leave it out and address the service`)
  // Numbers stand for the names in a protocol buffer's JSON as well.
  const isLatest = target.type === LATEST || target.type === 1 || !target.revision
  return { revision: isLatest ? null : (String(target.revision).split('/').at(-1) ?? ''), percent: Number(target.percent ?? 0) }
}

function secondsOf(duration: unknown, fallback: number): number {
  if (duration === undefined || duration === null || duration === '') return fallback
  const text = typeof duration === 'object' ? `${(duration as { seconds?: string }).seconds}s` : String(duration)
  return Number(/^(\d+(?:\.\d+)?)s?$/.exec(text)?.[1] ?? Number.NaN)
}

const objectOf = (value: unknown): Json => (value !== null && typeof value === 'object' ? (value as Json) : {})
const listOf = <T = Json>(value: unknown): T[] => (Array.isArray(value) ? value : [])
const textsOf = (value: unknown): Record<string, string> =>
  Object.fromEntries(Object.entries(objectOf(value)).map(([key, text]) => [key, String(text)]))
