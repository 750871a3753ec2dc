/** Brings a build's source into its workspace: an archive from a bucket, or a commit of a repository. */
import { createWriteStream } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { extract } from 'tar-stream'
import type { BuildSource, RepoSource } from '../../builds/build.ts'
import type { StepContext } from '../../builds/step-driver.ts'
import { AppError } from '../../core/app-error.ts'
import { runChild } from './child.ts'
import { Endpoint, refusal } from './tools/endpoint.ts'
import { atMost, UnpackedFolder } from './unpacked-folder.ts'
import type { Workspace } from './workspace.ts'

/** Unpacked. */
const LARGEST_SOURCE = 4 * 1024 ** 3

export async function fetchArchive(
  { bucket, object, generation }: NonNullable<BuildSource['storageSource']>,
  workspace: Workspace,
  endpoint: string,
  { token, signal, log }: StepContext,
): Promise<NonNullable<BuildSource['storageSource']>> {
  const path = `/storage/v1/b/${encodeURIComponent(bucket)}/o/${encodeURIComponent(object)}?alt=media${generation ? `&generation=${generation}` : ''}`
  const response = await new Endpoint(endpoint, token).fetch(path, { signal })
  if (!response.ok || !response.body) throw refusal(response.status, await response.text(), `Fetching gs://${bucket}/${object}`)
  const found = response.headers.get('x-goog-generation') ?? generation
  log(`Fetching storage object: gs://${bucket}/${object}${found ? `#${found}` : ''}`)
  const body = Readable.fromWeb(response.body as Parameters<typeof Readable.fromWeb>[0])
  try {
    await unpack(body, /\.t?gz$/.test(object), workspace.files, signal)
  } catch (cause) {
    signal.throwIfAborted()
    throw new AppError('invalid', `The source gs://${bucket}/${object} cannot be unpacked as a tar archive: ${(cause as Error).message}`, {
      cause,
    })
  }
  return { bucket, object, ...(found ? { generation: found } : {}) }
}

/** Unpacks files, folders and links that stay below `directory`; anything else in the archive is refused. */
async function unpack(body: Readable, isPacked: boolean, directory: string, signal: AbortSignal): Promise<void> {
  const folder = await UnpackedFolder.open(directory, (name) => new Error(`"${name}" lies outside of the archive.`))
  const archive = extract()
  const writing = (async () => {
    for await (const entry of archive) {
      const { name, type, mode = 0o644, linkname = '' } = entry.header
      const target = await folder.place(name)
      if (type === 'file') {
        await folder.clear(target)
        await pipeline(entry, createWriteStream(target, { mode: mode & 0o777 }))
        continue
      }
      if (type === 'directory') await mkdir(target, { recursive: true })
      else if (type === 'symlink') await folder.linkInside(name, linkname)
      else if (type === 'link') await folder.linkTo(name, linkname)
      entry.resume()
    }
  })()
  writing.catch((error: Error) => archive.destroy(error))
  const limit = atMost(LARGEST_SOURCE, () => new Error(`it unpacks to more than ${LARGEST_SOURCE / 1024 ** 3} GiB.`))
  await (isPacked ? pipeline(body, createGunzip(), limit, archive, { signal }) : pipeline(body, limit, archive, { signal }))
  await writing
}

export async function fetchCommit(
  { repoName = '', commitSha = '', projectId, branchName }: RepoSource,
  workspace: Workspace,
  { buildId, endpoint, project }: { buildId: string; endpoint: string; project: string },
  { token, signal, log }: StepContext,
): Promise<RepoSource> {
  const url = `${endpoint}/p/${projectId ?? project}/r/${repoName}`
  const complaints: string[] = []
  const git = async (...args: string[]): Promise<boolean> => {
    const status = await runChild({
      file: 'git',
      args,
      directory: workspace.files,
      environment: { ...workspace.environment(buildId, token), GIT_TERMINAL_PROMPT: '0' },
      signal,
      onLine: (line) => {
        complaints.push(line)
        log(line)
      },
    })
    return status === 0
  }
  const fetched =
    (await git('init', '--quiet')) &&
    (await git('remote', 'add', 'origin', url)) &&
    ((await git('fetch', '--quiet', '--depth=1', 'origin', commitSha)) || (await git('fetch', '--quiet', 'origin'))) &&
    (await git('-c', 'core.hooksPath=/dev/null', 'reset', '--hard', commitSha))
  if (!fetched)
    throw new AppError(
      'unavailable',
      `Commit ${commitSha} of repository "${repoName}" cannot be fetched: ${complaints.slice(-3).join(' ')}`,
    )
  log('GitCommit:')
  log(commitSha)
  return { projectId: projectId ?? project, repoName, commitSha, ...(branchName ? { branchName } : {}) }
}
