/** A folder of parts: in a bucket (`gs://…`) or on disk, read in the same way. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PipelineError } from '@daggerboard/pipeline'
import type { Storage } from '@google-cloud/storage'

export interface Folder {
  readonly uri: string
  /** Throws when there is no file of that name. */
  read(name: string): Promise<Buffer>
}

/** `storage` is only called for a folder in a bucket. */
export function openFolder(uri: string, storage: () => Storage): Folder {
  const [, bucketName, prefix] = /^gs:\/\/([^/]+)\/(.+?)\/*$/.exec(uri) ?? []
  if (bucketName !== undefined && prefix !== undefined) {
    const bucket = storage().bucket(bucketName)
    // Each part is checked against the manifest, so the client's own checksums would only repeat it.
    return { uri, read: async (name) => (await bucket.file(`${prefix}/${name}`).download({ validation: false }))[0] }
  }
  if (/^\w+:\/\//.test(uri))
    throw new PipelineError(`The folder "${uri}" cannot be read: only gs://BUCKET/FOLDER and local paths are known.`)
  return { uri, read: (name) => readFile(join(uri, name)) }
}

const MANIFEST = '/data.csv/_manifest.json'

/** The newest finished interval `gs://BUCKET/primary/ENVIRONMENT/DS/data.csv`. Throws when there is none. */
export async function newestFolder(storage: Storage, bucket: string, environment: 'staging' | 'production'): Promise<string> {
  const prefix = `primary/${environment}/`
  const [files] = await storage.bucket(bucket).getFiles({ prefix })
  const newest = files
    .map((file) => file.name)
    .filter((name) => name.endsWith(MANIFEST))
    .sort()
    .at(-1)
  if (newest !== undefined) return `gs://${bucket}/${newest.slice(0, -'/_manifest.json'.length)}`
  throw new PipelineError(
    `There is no finished data interval in gs://${bucket}/${prefix}. Run the DAG pipeline_ml_${environment} once, or set PRIMARY_FOLDER to a folder with a _manifest.json.`,
  )
}
