/** The fields that a build may have and what each of them holds: the shape that `config.ts` reads. */

export type Shape =
  | { readonly kind: 'string' | 'boolean' | 'duration' | 'strings' | 'integers' | 'map' | 'anything' }
  | { readonly kind: 'object' | 'objects'; readonly fields: Fields }

export type Fields = Readonly<Record<string, Shape>>

const string: Shape = { kind: 'string' }
const strings: Shape = { kind: 'strings' }
const boolean: Shape = { kind: 'boolean' }
const duration: Shape = { kind: 'duration' }
const map: Shape = { kind: 'map' }
const anything: Shape = { kind: 'anything' }
const object = (fields: Fields): Shape => ({ kind: 'object', fields })
const objects = (fields: Fields): Shape => ({ kind: 'objects', fields })

const volumes = objects({ name: string, path: string })

const STEP: Fields = {
  name: string,
  env: strings,
  args: strings,
  dir: string,
  id: string,
  waitFor: strings,
  entrypoint: string,
  secretEnv: strings,
  volumes,
  timeout: duration,
  script: string,
  allowFailure: boolean,
  allowExitCodes: { kind: 'integers' },
  automapSubstitutions: boolean,
}

const OPTIONS: Fields = {
  sourceProvenanceHash: strings,
  requestedVerifyOption: string,
  machineType: string,
  diskSizeGb: anything,
  substitutionOption: string,
  dynamicSubstitutions: boolean,
  automapSubstitutions: boolean,
  logStreamingOption: string,
  workerPool: string,
  pool: object({ name: string }),
  logging: string,
  env: strings,
  secretEnv: strings,
  volumes,
  defaultLogsBucketBehavior: string,
  enableStructuredLogging: boolean,
  pubsubTopic: string,
}

/** What `cloudbuild.yaml` may hold. */
export const BUILD_FILE: Fields = {
  steps: objects(STEP),
  timeout: duration,
  queueTtl: duration,
  images: strings,
  tags: strings,
  logsBucket: string,
  substitutions: map,
  options: object(OPTIONS),
  serviceAccount: string,
  artifacts: object({
    images: strings,
    objects: object({ location: string, paths: strings }),
    mavenArtifacts: anything,
    goModules: anything,
    pythonPackages: anything,
    npmPackages: anything,
  }),
  availableSecrets: object({ secretManager: objects({ versionName: string, env: string }), inline: anything }),
  secrets: anything,
}

const repoSource = object({
  projectId: string,
  repoName: string,
  branchName: string,
  tagName: string,
  commitSha: string,
  dir: string,
  invertRegex: boolean,
  substitutions: map,
})

const SOURCE: Fields = {
  storageSource: object({ bucket: string, object: string, generation: anything, sourceFetcher: anything }),
  repoSource,
}

/** What a request may hold besides: its source. `gcloud` and the file leave that to the request. */
export const BUILD_REQUEST: Fields = { ...BUILD_FILE, source: object(SOURCE) }

export const TRIGGER: Fields = {
  name: string,
  description: string,
  tags: strings,
  triggerTemplate: repoSource,
  filename: string,
  build: object(BUILD_FILE),
  disabled: boolean,
  substitutions: map,
  includedFiles: strings,
  ignoredFiles: strings,
  serviceAccount: string,
}

export const REPO_SOURCE: Fields = repoSource.kind === 'object' ? repoSource.fields : {}

/** Fields that only the service writes: dropped from requests, because clients send whole resources back. */
export const OUTPUT_ONLY: ReadonlySet<string> = new Set([
  'id',
  'projectId',
  'status',
  'statusDetail',
  'results',
  'createTime',
  'startTime',
  'finishTime',
  'sourceProvenance',
  'buildTriggerId',
  'logUrl',
  'timing',
  'pullTiming',
  'exitCode',
  'warnings',
  'failureInfo',
  'approval',
  'resourceName',
])
