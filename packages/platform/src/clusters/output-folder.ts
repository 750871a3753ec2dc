/** A folder of CSV parts in a bucket, replaced as a whole: parts first, then the manifest that names them, then the leftovers go. */
import { randomUUID } from 'node:crypto'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AppError } from '../core/app-error.ts'
import type { ObjectFolder, WrittenParts } from './engine.ts'

const MANIFEST = '_manifest.json'

export interface Manifest {
  readonly start: string | null
  readonly end: string | null
  readonly rows: number
  readonly inputRows: number
  readonly createdAt: string
  readonly columns: readonly string[]
  readonly parts: readonly { name: string; rows: number; bytes: number; md5Hash: string }[]
}

export interface FolderFacts {
  readonly start: string | null
  readonly end: string | null
  readonly inputRows: number
  readonly createdAt: Date
}

/** `gs://BUCKET/FOLDER/` with a slash at its end. Throws `invalid` for anything else: a bucket as a whole is never replaced. */
export function parseFolder(uri: string): string {
  const match = /^gs:\/\/([a-z0-9][a-z0-9._-]{1,220}[a-z0-9])\/(.+?)\/*$/.exec(uri)
  if (!match || match[2]?.split('/').some((part) => part === '' || part === '.' || part === '..'))
    throw new AppError('invalid', `Cannot write to "${uri}": it is not a folder in a bucket. Write gs://BUCKET/FOLDER/.`)
  return `gs://${match[1]}/${match[2]}/`
}

/** Replaces what is in `folder` by the parts. A reader that trusts only the manifest sees the old parts or the new ones, never a mixture. */
export async function replaceFolder(
  objects: ObjectFolder,
  folder: string,
  written: WrittenParts,
  { createdAt, ...facts }: FolderFacts,
  directory: string,
  { signal, onProgress }: { signal: AbortSignal; onProgress?: (fraction: number) => void },
): Promise<Manifest> {
  const id = randomUUID()
  const parts: Manifest['parts'][number][] = []
  for (const [index, { file, rows }] of written.parts.entries()) {
    const name = `part-${String(index).padStart(5, '0')}-${id}-c000.csv`
    const { bytes, md5Hash } = await objects.upload(folder + name, file, 'text/csv', signal)
    parts.push({ name, rows, bytes, md5Hash })
    await rm(file)
    onProgress?.((index + 1) / written.parts.length)
  }
  const rows = parts.reduce((sum, part) => sum + part.rows, 0)
  const manifest: Manifest = { ...facts, rows, createdAt: createdAt.toISOString(), columns: written.columns, parts }
  const file = join(directory, `manifest-${id}.json`)
  await writeFile(file, `${JSON.stringify(manifest, null, 2)}\n`)
  await objects.upload(folder + MANIFEST, file, 'application/json', signal)
  const kept = new Set([MANIFEST, ...parts.map((part) => part.name)].map((name) => folder + name))
  for (const uri of await objects.list(folder, signal)) if (!kept.has(uri)) await objects.delete(uri, signal)
  return manifest
}
