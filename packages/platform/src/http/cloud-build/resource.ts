/** Builds, triggers and operations as Cloud Build's API answers them. */
import { type Build, isFinished } from '../../builds/build.ts'
import { timeoutMsOf } from '../../builds/build-execution.ts'
import { formatDuration, parseDuration } from '../../builds/duration.ts'
import { DEFAULT_QUEUE_TTL_MS } from '../../builds/limits.ts'
import type { Trigger } from '../../builds/trigger.ts'

const TYPES = 'type.googleapis.com/google.devtools.cloudbuild.v1'

export function buildResource(build: Build, origin: string): Record<string, unknown> {
  const { createdBy, location, triggerName, ...resource } = build
  return {
    ...resource,
    name: `projects/${build.projectId}/locations/${location}/builds/${build.id}`,
    timeout: formatDuration(timeoutMsOf(build)),
    queueTtl: formatDuration(parseDuration(build.queueTtl ?? '') ?? DEFAULT_QUEUE_TTL_MS),
    steps: build.steps.map((step) => (step.timeout ? { ...step, timeout: formatDuration(parseDuration(step.timeout) ?? 0) } : step)),
    logUrl: `${origin}/v1/projects/${build.projectId}/builds/${build.id}/log`,
  }
}

/** gRPC's numbers for how a build can end badly. */
const CODES: Readonly<Record<string, number>> = { CANCELLED: 1, TIMEOUT: 4, EXPIRED: 4, INTERNAL_ERROR: 13 }
const FAILED_PRECONDITION = 9

/** The long-running operation of a build: done with it, its error when it does not succeed. */
export function operationResource(build: Build, origin: string): Record<string, unknown> {
  const resource = buildResource(build, origin)
  const outcome =
    build.status === 'SUCCESS'
      ? { response: { '@type': `${TYPES}.Build`, ...resource } }
      : {
          error: { code: CODES[build.status] ?? FAILED_PRECONDITION, message: build.statusDetail ?? `The build ended as ${build.status}.` },
        }
  return {
    name: `operations/build/${build.projectId}/${Buffer.from(build.id).toString('base64url')}`,
    metadata: { '@type': `${TYPES}.BuildOperationMetadata`, build: resource },
    ...(isFinished(build.status) ? { done: true, ...outcome } : {}),
  }
}

/** The id of the build behind an operation's name; null when it is not one of ours. */
export function buildOfOperation(name: string): { projectId: string; buildId: string } | null {
  const [, projectId, encoded] = /^operations\/build\/([^/]+)\/([\w=-]+)$/.exec(name) ?? []
  return projectId && encoded ? { projectId, buildId: Buffer.from(encoded, 'base64url').toString('utf8') } : null
}

export function triggerResource(trigger: Trigger, location: string): Record<string, unknown> {
  const { createdBy, projectId, ...resource } = trigger
  return {
    ...resource,
    resourceName: `projects/${projectId}/locations/${location}/triggers/${trigger.id}`,
    triggerTemplate: { projectId, ...trigger.triggerTemplate },
  }
}
