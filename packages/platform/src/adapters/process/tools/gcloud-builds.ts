/** `gcloud builds`: submit and wait, list, describe, log, cancel, over Cloud Build's REST API. */
import { randomUUID } from 'node:crypto'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseBuildFile } from '../../../builds/config.ts'
import { AppError } from '../../../core/app-error.ts'
import { archive, filesOf } from './archive.ts'
import { CloudStorage, formatAddress, isAddress, parseAddress } from './cloud-storage.ts'
import type { Command, Flags, Invocation } from './command.ts'
import { ignoresOf } from './ignore.ts'

export interface RemoteBuild {
  readonly id: string
  readonly status: string
  readonly statusDetail?: string
  readonly failureInfo?: { readonly detail?: string }
  readonly createTime: string
  readonly startTime?: string
  readonly finishTime?: string
  readonly logUrl: string
  readonly logsBucket?: string
  readonly images?: string[]
  readonly source?: { storageSource?: { bucket: string; object: string }; repoSource?: { repoName: string; commitSha?: string } }
}

const POLL_MS = 250
/** How many times in a row the platform may be out of reach while a build is waited for. */
const PATIENCE = 40
const FINISHED = ['SUCCESS', 'FAILURE', 'INTERNAL_ERROR', 'TIMEOUT', 'CANCELLED', 'EXPIRED']

const region: Flags = { region: { kind: 'string' } }
const format: Flags = { format: { kind: 'string' } }
const one = { minimum: 1, maximum: 1, names: 'the id of a build' }

/** `projects/P/locations/L`, as gcloud always asks. */
export const parentOf = ({ project, flags }: Invocation): string =>
  `/v1/projects/${encodeURIComponent(project)}/locations/${encodeURIComponent(flags.string('region') ?? 'global')}`

export const buildCommands: readonly Command[] = [
  {
    path: ['builds', 'submit'],
    positionals: { minimum: 0, maximum: 1, names: 'the folder (or gs:// archive) to build' },
    flags: {
      ...region,
      ...format,
      config: { kind: 'string' },
      tag: { kind: 'string', short: 't' },
      substitutions: { kind: 'map' },
      async: { kind: 'boolean' },
      source: { kind: 'boolean' },
      timeout: { kind: 'string' },
      'suppress-logs': { kind: 'boolean' },
      'ignore-file': { kind: 'string' },
      'gcs-source-staging-dir': { kind: 'string' },
      'gcs-log-dir': { kind: 'string' },
      'machine-type': { kind: 'string', ignored: true },
      'disk-size': { kind: 'string', ignored: true },
    },
    run: submit,
  },
  {
    path: ['builds', 'list'],
    flags: { ...region, ...format, filter: { kind: 'string' }, limit: { kind: 'string' }, ongoing: { kind: 'boolean' } },
    run: async (call) => {
      const { flags } = call
      const filter = [flags.string('filter'), flags.boolean('ongoing') ? 'status="WORKING" OR status="QUEUED"' : undefined]
        .filter(Boolean)
        .join(' AND ')
      const query = new URLSearchParams({ pageSize: flags.string('limit') ?? '20', ...(filter ? { filter } : {}) })
      const { builds = [] } = await call.endpoint.json<{ builds?: RemoteBuild[] }>(`${parentOf(call)}/builds?${query}`)
      printBuilds(call, builds)
      return 0
    },
  },
  {
    path: ['builds', 'describe'],
    positionals: one,
    flags: { ...region, ...format },
    run: async (call) => {
      printBuilds(call, [await findBuild(call, call.positionals[0] ?? '')], 'json')
      return 0
    },
  },
  {
    path: ['builds', 'log'],
    positionals: one,
    flags: { ...region, stream: { kind: 'boolean' } },
    run: async (call) => {
      const id = call.positionals[0] ?? ''
      const query = call.flags.boolean('stream') ? '?follow=true' : ''
      const response = await call.endpoint.fetch(`${parentOf(call)}/builds/${encodeURIComponent(id)}/log${query}`, { signal: call.signal })
      if (!response.ok || !response.body) throw new AppError('not_found', `There is no log of build "${id}".`)
      for await (const chunk of response.body) process.stdout.write(chunk)
      return 0
    },
  },
  {
    path: ['builds', 'cancel'],
    positionals: { minimum: 1, names: 'ids of builds' },
    flags: region,
    run: async (call) => {
      for (const id of call.positionals) {
        await cancelBuild(call, id)
        call.say(`Cancelled [${id}].`)
      }
      return 0
    },
  },
]

async function submit(call: Invocation): Promise<number> {
  const { flags, project, endpoint } = call
  const place = call.positionals[0] ?? '.'
  const config = readConfig(call, place)
  const storage = new CloudStorage(endpoint, call.signal)
  const source = flags.boolean('source', true) ? await stageSource(call, storage, place) : undefined
  const { metadata } = await endpoint.json<{ metadata: { build: RemoteBuild } }>(`${parentOf(call)}/builds`, {
    method: 'POST',
    signal: call.signal,
    json: {
      ...config,
      ...(source ? { source: { storageSource: source } } : {}),
      ...(flags.has('timeout') ? { timeout: flags.string('timeout') } : {}),
      ...(flags.has('gcs-log-dir') ? { logsBucket: flags.string('gcs-log-dir') } : {}),
      substitutions: { ...(config.substitutions as object | undefined), ...Object.fromEntries(flags.map('substitutions')) },
      projectId: project,
    },
  })
  return followBuild(call, metadata.build)
}

/** Says where the new build is and, unless `--async`, shows its log until it ends. The status is 0 only for a build that succeeded. */
export async function followBuild(call: Invocation, created: RemoteBuild): Promise<number> {
  call.say(`Created [${created.logUrl.replace(/\/log$/, '')}].\nLogs are available at [ ${created.logUrl} ].`)
  if (call.flags.boolean('async')) {
    printBuilds(call, [created])
    return 0
  }
  let build: RemoteBuild
  try {
    build = await waitFor(call, created)
  } catch (error) {
    // Who stops waiting does not want the build any more: Ctrl-C, a step's timeout, a cancelled parent.
    if (call.signal.aborted) await cancelBuild(call, created.id).catch(() => {})
    throw error
  }
  printBuilds(call, [build])
  if (build.status === 'SUCCESS') return 0
  const why = build.failureInfo?.detail || build.statusDetail || 'its log says why.'
  call.say(`ERROR: (gcloud.builds.submit) build ${build.id} completed with status "${build.status}": ${why}`)
  return 1
}

async function waitFor(call: Invocation, created: RemoteBuild): Promise<RemoteBuild> {
  const storage = new CloudStorage(call.endpoint, call.signal)
  const log = parseAddress(`${(created.logsBucket ?? '').replace(/^(gs:\/\/)?/, 'gs://').replace(/\/$/, '')}/log-${created.id}.txt`)
  const showsLog = !call.flags.boolean('suppress-logs')
  if (showsLog) call.print('----------------------------- REMOTE BUILD OUTPUT ------------------------------')
  let position = 0
  let failures = 0
  while (true) {
    try {
      const build = await findBuild(call, created.id)
      // Read after the status: what the log holds once the build is over is all of it.
      const bytes = showsLog ? await storage.read(log, position) : null
      position += bytes?.length ?? 0
      if (bytes) process.stdout.write(bytes)
      failures = 0
      if (FINISHED.includes(build.status)) {
        if (showsLog) call.print('--------------------------------------------------------------------------------')
        return build
      }
    } catch (error) {
      const isPassing = error instanceof AppError && error.code === 'unavailable'
      if (!isPassing || ++failures > PATIENCE) throw error
    }
    await sleep(POLL_MS, undefined, { signal: call.signal })
  }
}

function readConfig(call: Invocation, place: string): Record<string, unknown> {
  const tag = call.flags.string('tag')
  if (tag !== undefined && call.flags.has('config')) throw new AppError('invalid', 'Give either --tag or --config, not both.')
  if (tag !== undefined)
    return {
      steps: [{ name: 'gcr.io/cloud-builders/docker', args: ['build', '--network', 'cloudbuild', '--no-cache', '-t', tag, '.'] }],
      images: [tag],
    }
  const given = call.flags.string('config')
  const path =
    given === undefined ? join(resolve(call.directory, isAddress(place) ? '.' : place), 'cloudbuild.yaml') : resolve(call.directory, given)
  if (!existsSync(path))
    throw new AppError(
      'not_found',
      `There is no build file at "${given ?? path}". Name it with --config, or give --tag to build a Dockerfile.`,
    )
  const { config } = parseBuildFile(readFileSync(path, 'utf8'), given ?? basename(path))
  for (const key of Object.keys(config.substitutions ?? {}))
    if (!/^_[A-Z0-9_]+$/.test(key))
      throw new AppError('invalid', `Substitution key "${key}" in ${given ?? basename(path)} does not respect the format "^_[A-Z0-9_]+$".`)
  return { ...config }
}

async function stageSource(
  call: Invocation,
  storage: CloudStorage,
  place: string,
): Promise<{ bucket: string; object: string; generation?: string }> {
  if (isAddress(place)) {
    const { bucket, name } = parseAddress(place)
    return { bucket, object: name }
  }
  const directory = resolve(call.directory, place)
  if (!statSync(directory, { throwIfNoEntry: false })?.isDirectory())
    throw new AppError('not_found', `There is no folder "${place}" to build.`)
  const files = await filesOf(directory, ignoresOf(directory, call.flags.string('ignore-file')))
  const staging = parseAddress(call.flags.string('gcs-source-staging-dir') ?? `gs://${call.project}_cloudbuild/source`)
  const name = `${staging.name ? `${staging.name.replace(/\/$/, '')}/` : ''}${Date.now() / 1000}-${randomUUID().replaceAll('-', '')}.tgz`
  const address = { bucket: staging.bucket, name }
  call.say(`Creating temporary archive of ${files.length} file(s).\nUploading tarball of [${place}] to [${formatAddress(address)}]`)
  await storage.ensureBucket(call.project, address.bucket)
  const { generation } = await storage.upload(archive(files), address, 'application/x-tar')
  return { bucket: address.bucket, object: address.name, ...(generation ? { generation } : {}) }
}

const findBuild = (call: Invocation, id: string): Promise<RemoteBuild> =>
  call.endpoint.json<RemoteBuild>(`${parentOf(call)}/builds/${encodeURIComponent(id)}`, { signal: call.signal })

/** Without the call's own signal: it is what the signal asks for. */
const cancelBuild = (call: Invocation, id: string): Promise<unknown> =>
  call.endpoint.json(`${parentOf(call)}/builds/${encodeURIComponent(id)}:cancel`, { method: 'POST', json: {} })

/** As a table, or as `--format` says: `json`, or `value(FIELD,…)` with one line for each build. */
function printBuilds(call: Invocation, builds: readonly RemoteBuild[], fallback = 'table'): void {
  const wanted = call.flags.string('format') ?? fallback
  const [, fields] = /^value\((.+)\)$/.exec(wanted) ?? []
  if (fields)
    for (const build of builds)
      call.print(
        fields
          .split(',')
          .map((field) => valueAt(build, field.trim()))
          .join('\t'),
      )
  else if (wanted === 'json') call.print(JSON.stringify(fallback === 'json' ? builds[0] : builds, null, 2))
  else if (wanted === 'table') printTable(call, builds)
  else throw new AppError('invalid', `--format=${wanted} is not supported here. There are: json, value(FIELD,…).`)
}

function valueAt(build: RemoteBuild, path: string): string {
  const value = path.split('.').reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], build)
  return value === undefined || value === null ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value)
}

function printTable(call: Invocation, builds: readonly RemoteBuild[]): void {
  call.print('ID                                    CREATE_TIME               DURATION  SOURCE  IMAGES  STATUS')
  for (const { id, createTime, startTime, finishTime, source, images, status } of builds) {
    const seconds = startTime && finishTime ? `${Math.round((Date.parse(finishTime) - Date.parse(startTime)) / 1000)}S` : '-'
    const { storageSource, repoSource } = source ?? {}
    const from = storageSource
      ? `gs://${storageSource.bucket}/${storageSource.object}`
      : repoSource
        ? `${repoSource.repoName}@${repoSource.commitSha ?? ''}`
        : '-'
    call.print(`${id}  ${createTime}  ${seconds.padEnd(8)}  ${from}  ${images?.join(',') || '-'}  ${status}`)
  }
}
