/** Loading: the transform's output of one interval, exactly as its manifest says it was written. */
import { createHash } from 'node:crypto'
import { type NodeContext, PipelineError, parseCsv, Table } from '@daggerboard/pipeline'
import { GROUP, LABEL, PRIMARY_COLUMNS } from '../columns.ts'
import { type EnvironmentParameters, environmentOf } from '../environment.ts'
import { storageClient } from '../storage/client.ts'
import { type Folder, newestFolder, openFolder } from '../storage/folder.ts'

/** `_manifest.json` of a folder of parts. Files that it does not name are leftovers of another run. */
export interface Manifest {
  readonly start: string
  readonly end: string
  readonly rows: number
  readonly parts: readonly { readonly name: string; readonly rows: number; readonly md5Hash: string }[]
}

/** Where the rows came from, for the record of the run. */
export interface PrimarySource {
  readonly folder: string
  readonly start: string
  readonly end: string
  readonly rows: number
}

export interface PrimaryParameters {
  readonly folder: string
  readonly bucket: string
}

const PARALLEL_DOWNLOADS = 8

/** Answers `[primary, primary_source]`. Throws when a part is missing, damaged, or breaks a contract of the table. */
export async function loadPrimary(
  { folder, bucket }: PrimaryParameters,
  environment: EnvironmentParameters,
  context: NodeContext,
): Promise<[Table, PrimarySource]> {
  const name = environmentOf(environment)
  const uri = folder || (await newestFolder(storageClient(), bucket, name === 'production' ? 'production' : 'staging'))
  context.log(`reading ${uri}`)
  return readParts(openFolder(uri, storageClient), context)
}

/** The rows of the parts that the manifest of `folder` names, and no others. */
export async function readParts(folder: Folder, context: NodeContext): Promise<[Table, PrimarySource]> {
  for (;;) {
    const manifest = await readManifest(folder)
    try {
      return await readNamed(folder, manifest, context)
    } catch (error) {
      // The transform, run again, replaces the folder as a whole: the parts of the manifest before may go while they are read.
      const now = await readManifest(folder)
      if (JSON.stringify(now.parts) === JSON.stringify(manifest.parts)) throw error
      context.log('the transform has replaced these rows meanwhile: reading the new ones')
    }
  }
}

async function readNamed(folder: Folder, manifest: Manifest, { signal, log }: NodeContext): Promise<[Table, PrimarySource]> {
  const tables: Table[] = []
  for (let at = 0; at < manifest.parts.length; at += PARALLEL_DOWNLOADS) {
    signal.throwIfAborted()
    const some = manifest.parts.slice(at, at + PARALLEL_DOWNLOADS)
    tables.push(...(await Promise.all(some.map((part) => readPart(folder, part)))))
    log(`${tables.length} of ${manifest.parts.length} parts`)
  }
  const primary = Table.concat(tables)
  const problems = primary.rows === manifest.rows ? [] : [`it has ${primary.rows} rows, but its manifest says ${manifest.rows}`]
  PipelineError.throwIfAny(`The table in ${folder.uri} is not as it should be`, [...problems, ...brokenContracts(primary)])
  return [primary, { folder: folder.uri, start: manifest.start, end: manifest.end, rows: manifest.rows }]
}

async function readManifest(folder: Folder): Promise<Manifest> {
  try {
    const manifest = JSON.parse((await folder.read('_manifest.json')).toString('utf8')) as Manifest
    if (Array.isArray(manifest.parts) && manifest.parts.length > 0) return manifest
  } catch (error) {
    throw new PipelineError(
      `${folder.uri} has no readable _manifest.json (${(error as Error).message}). Run the transform of this interval again: it writes the manifest last.`,
      { cause: error },
    )
  }
  throw new PipelineError(`The manifest of ${folder.uri} names no parts. Run the transform of this interval again.`)
}

async function readPart(folder: Folder, { name, rows, md5Hash }: Manifest['parts'][number]): Promise<Table> {
  const bytes = await folder.read(name).catch((error: Error) => {
    throw new PipelineError(`Part ${name} of ${folder.uri} cannot be read: ${error.message}`, { cause: error })
  })
  const md5 = createHash('md5').update(bytes).digest('base64')
  if (md5 !== md5Hash) throw new PipelineError(`Part ${name} of ${folder.uri} is damaged: its MD5 is ${md5}, its manifest says ${md5Hash}.`)
  const table = parseCsv(bytes.toString('utf8'), { types: PRIMARY_COLUMNS, source: name })
  const columns = Object.keys(PRIMARY_COLUMNS)
  if (table.names.join() !== columns.join())
    throw new PipelineError(`Part ${name} has the columns ${table.names.join(', ')}; they must be ${columns.join(', ')}.`)
  if (table.rows !== rows) throw new PipelineError(`Part ${name} has ${table.rows} rows, but its manifest says ${rows}.`)
  return table
}

/** What the transform promises: one row per session and product, a label, UTC with Monday = 0, no missing counts. */
export function brokenContracts(primary: Table): string[] {
  const problems: string[] = []
  const sessions = primary.texts(GROUP)
  const products = primary.numbers('product_id')
  const keys = new Set(sessions.map((session, row) => `${session} ${products[row]}`))
  if (keys.size < primary.rows) problems.push(`${primary.rows - keys.size} rows repeat a (user_session, product_id)`)
  if (sessions.includes(null)) problems.push('some rows have no user_session')
  const bounds: Record<string, [number, number]> = { [LABEL]: [0, 1], weekday: [0, 6], hour: [0, 23], minute: [0, 59] }
  for (const [name, type] of Object.entries(PRIMARY_COLUMNS)) {
    if (type === 'text') continue
    const [low, high] = bounds[name] ?? [0, Number.POSITIVE_INFINITY]
    const wrong = primary.numbers(name).reduce((count, value) => count + (value >= low && value <= high ? 0 : 1), 0)
    if (wrong > 0) problems.push(`${wrong} rows have no ${name} between ${low} and ${high}`)
  }
  return problems
}
