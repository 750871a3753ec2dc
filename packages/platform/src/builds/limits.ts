/** The limits of a build, as Cloud Build documents or enforces them. */

const HOUR_MS = 3_600_000

export const LIMITS = {
  steps: 300,
  args: 100,
  argLength: 10_000,
  env: 100,
  envLength: 65_536,
  dirLength: 1000,
  nameLength: 1000,
  images: 100,
  tags: 64,
  substitutions: 200,
  substitutionKeyLength: 100,
  substitutionValueLength: 4000,
  artifactPaths: 100,
  timeoutMs: 24 * HOUR_MS,
  /** Cloud Build accepts larger ones and never runs them; refused here. */
  messageBytes: 128 * 1024,
} as const

export const DEFAULT_TIMEOUT_MS = HOUR_MS
export const DEFAULT_QUEUE_TTL_MS = HOUR_MS
/** How deep builds may start builds that start builds. */
export const MAX_NESTING = 8
