/** Fetches a registered model with all its files. */
import { artifactPath, type Connection } from './connection.ts'
import { missing } from './error.ts'
import { parseModelUri, type Version, versionOf, type WireVersion } from './version.ts'

/** `files` are those of the model's folder, by their paths in it. */
export interface DownloadedModel {
  readonly version: string
  readonly runId: string
  readonly files: Map<string, Uint8Array>
}

const FILES_AT_ONCE = 4

export async function downloadModel(connection: Connection, uri: string): Promise<DownloadedModel> {
  const { name, version, runId } = await resolve(connection, uri)
  const { artifact_uri } = await connection.get<{ artifact_uri: string }>('model-versions/get-download-uri', { name, version })
  const root = artifactPath(artifact_uri)
  const paths = await listAll(connection, root, '')
  if (paths.length === 0)
    throw missing(
      'GET mlflow-artifacts',
      `The model at "${uri}" (version ${version}) has no files at ${artifact_uri}. Log it again, then register it.`,
    )
  const files = new Map<string, Uint8Array>()
  for (let start = 0; start < paths.length; start += FILES_AT_ONCE) {
    const some = paths.slice(start, start + FILES_AT_ONCE)
    const contents = await Promise.all(some.map((path) => connection.download(`${root}/${path}`)))
    some.forEach((path, index) => {
      files.set(path, contents[index] as Uint8Array)
    })
  }
  return { version, runId, files }
}

/** The newest version in `stage`, or of all stages when that is null; null when there is none. Throws when there is no such model. */
export async function newestVersion(connection: Connection, name: string, stage: string | null): Promise<Version | null> {
  const fields = { name, ...(stage === null ? {} : { stages: [stage] }) }
  const { model_versions = [] } = await connection.put<{ model_versions?: WireVersion[] }>(
    'POST',
    'registered-models/get-latest-versions',
    fields,
  )
  const newest = model_versions.toSorted((a, b) => Number(b.version) - Number(a.version))[0]
  return newest ? versionOf(newest) : null
}

async function resolve(connection: Connection, uri: string): Promise<Version> {
  const reference = parseModelUri(uri)
  if ('version' in reference) return oneVersion(connection, 'model-versions/get', reference)
  if ('alias' in reference) return oneVersion(connection, 'registered-models/alias', reference)
  const newest = await newestVersion(connection, reference.name, reference.stage)
  if (newest) return newest
  const where = reference.stage === null ? '' : ` in the stage "${reference.stage}"`
  throw new Error(
    `"${uri}" cannot be loaded: the model "${reference.name}" has no version${where}. Register one and give it its stage first.`,
  )
}

async function oneVersion(connection: Connection, path: string, fields: Readonly<Record<string, string>>): Promise<Version> {
  return versionOf((await connection.get<{ model_version: WireVersion }>(path, fields)).model_version)
}

/** The paths of all files below `folder`, which is relative to `root`. */
async function listAll(connection: Connection, root: string, folder: string): Promise<string[]> {
  const paths: string[] = []
  for (const { path, is_dir } of await connection.list(folder ? `${root}/${folder}` : root)) {
    // A server could name anything; only plain names below the folder are taken.
    if (path.split('/').some((part) => part === '' || part === '.' || part === '..')) continue
    const below = folder ? `${folder}/${path}` : path
    paths.push(...(is_dir ? await listAll(connection, root, below) : [below]))
  }
  return paths
}
