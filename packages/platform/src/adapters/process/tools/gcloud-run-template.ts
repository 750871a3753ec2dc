/** What the flags of `gcloud run deploy` make of a service. */
import { AppError } from '../../../core/app-error.ts'
import type { Flags, Values } from './command.ts'

interface RemoteContainer {
  image: string
  command?: string[]
  args?: string[]
  env?: { name: string; value: string }[]
  ports?: { containerPort: number }[]
  startupProbe?: object
}

export interface RemoteService {
  readonly name: string
  readonly uri: string
  readonly labels?: Record<string, string>
  readonly lastModifier?: string
  readonly updateTime?: string
  readonly template?: {
    labels?: Record<string, string>
    annotations?: Record<string, string>
    timeout?: string
    containers?: RemoteContainer[]
  }
  readonly latestCreatedRevision?: string
  readonly latestReadyRevision?: string
  readonly trafficStatuses?: { revision: string; percent: number }[]
  readonly terminalCondition?: { state: string; message: string }
}

/** Known to gcloud, and accepted with a word that they do nothing. */
export const NO_EFFECT = ['memory', 'cpu', 'concurrency', 'min-instances', 'max-instances', 'service-account', 'ingress'] as const

export const TEMPLATE_FLAGS: Flags = {
  image: { kind: 'string' },
  port: { kind: 'string' },
  command: { kind: 'list' },
  args: { kind: 'list' },
  'set-env-vars': { kind: 'map' },
  'update-env-vars': { kind: 'map' },
  'remove-env-vars': { kind: 'list' },
  'clear-env-vars': { kind: 'boolean' },
  'allow-unauthenticated': { kind: 'boolean' },
  'startup-probe': { kind: 'map' },
  labels: { kind: 'map' },
  'update-labels': { kind: 'map' },
  timeout: { kind: 'string' },
  traffic: { kind: 'boolean' },
  ...Object.fromEntries(NO_EFFECT.map((name) => [name, { kind: 'string' as const }])),
}

/** The service to send: what stands in `existing`, changed by the flags. Throws `invalid` with all that is wrong with them. */
export function deployedService(flags: Values, existing: RemoteService | null, nonce: string) {
  const problems: string[] = []
  const template = existing?.template ?? {}
  const container = template.containers?.[0]
  const image = flags.string('image') ?? container?.image
  if (!image) problems.push('--image is missing: say which image to deploy')
  const port = flags.string('port')
  if (port !== undefined && !/^\d+$/.test(port)) problems.push(`--port ${port} is not a number`)
  const probe = flags.has('startup-probe') ? readProbe(flags.map('startup-probe'), problems) : container?.startupProbe
  const timeout = flags.string('timeout')
  const seconds = timeout === undefined ? undefined : readSeconds(timeout, problems)
  const labels = { ...existing?.labels, ...Object.fromEntries([...flags.map('labels'), ...flags.map('update-labels')]) }
  if (problems.length > 0) throw new AppError('invalid', 'The service cannot be deployed like this:', { problems })
  const deployed: RemoteContainer = {
    ...container,
    image: image ?? '',
    env: readEnvironment(flags, container?.env ?? []),
    ...(flags.has('command') && { command: flags.list('command') }),
    ...(flags.has('args') && { args: flags.list('args') }),
    ...(port && { ports: [{ containerPort: Number(port) }] }),
    ...(probe && { startupProbe: probe }),
  }
  return {
    labels,
    ...(flags.has('allow-unauthenticated') && { invokerIamDisabled: flags.boolean('allow-unauthenticated') }),
    template: {
      ...template,
      // gcloud's --labels are those of the service and of its new revision.
      labels: { ...template.labels, ...labels },
      annotations: { ...template.annotations, 'client.knative.dev/nonce': nonce },
      ...(seconds !== undefined && { timeout: `${seconds}s` }),
      containers: [deployed],
    },
  }
}

function readEnvironment(flags: Values, existing: { name: string; value: string }[]) {
  const starts =
    flags.boolean('clear-env-vars') || flags.has('set-env-vars') ? [] : existing.map(({ name, value }) => [name, value] as const)
  const variables = new Map([...starts, ...flags.map('set-env-vars'), ...flags.map('update-env-vars')])
  for (const name of flags.list('remove-env-vars')) variables.delete(name)
  return [...variables].map(([name, value]) => ({ name, value }))
}

/** `httpGet.path=/health,failureThreshold=30,periodSeconds=1`, or `tcpSocket.port=8080`. */
function readProbe(fields: ReadonlyMap<string, string>, problems: string[]): object {
  const probe: Record<string, unknown> = {}
  for (const [field, value] of fields) {
    if (field === 'httpGet.path') probe.httpGet = { path: value }
    else if (field === 'tcpSocket.port') probe.tcpSocket = { port: Number(value) }
    else if (['initialDelaySeconds', 'timeoutSeconds', 'periodSeconds', 'failureThreshold'].includes(field)) probe[field] = Number(value)
    else if (field !== 'httpGet.port') problems.push(`--startup-probe has no field "${field}"`)
  }
  return probe
}

function readSeconds(text: string, problems: string[]): number {
  const [, amount, unit = 's'] = /^(\d+)([smh]?)$/.exec(text) ?? []
  if (amount === undefined) problems.push(`--timeout ${text} is not a duration such as 300, 300s or 5m`)
  return Number(amount) * ({ s: 1, m: 60, h: 3600 }[unit] ?? 1)
}
