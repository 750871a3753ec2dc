/** Files that things come from and go to: JSON, YAML and `NAME=value` lines, in the forms of Airflow's import and export. */
import { readFileSync, writeFileSync } from 'node:fs'
import { extname } from 'node:path'
import { stringify } from 'yaml'
import { AppError, messageOf } from '../core/app-error.ts'
import type { PlatformClient } from './client.ts'
import { choice, withDefault } from './command.ts'
import { readPiped } from './confirm.ts'
import type { Context } from './context.ts'
import type { Entries, FileFormat } from './host.ts'

/** What stands for a secret in the answers of the platform. */
export const MASK = '***'

const FILE_FORMATS = ['json', 'yaml', 'env'] as const

export const fileFormat = choice(FILE_FORMATS, 'the form of the file (default: by its name, else JSON)')
/** For what has several fields, and does not fit into a line. */
export const documentFormat = choice(['json', 'yaml'], 'the form of the file (default: by its name, else JSON)')

const EXISTING = 'what to do with those that are there already'

export const onExisting = withDefault(choice(['overwrite', 'skip', 'fail'], EXISTING, { short: '-a' }), 'overwrite')
/** As in Airflow, whose import leaves connections alone that are there. */
export const onExistingConnection = withDefault(choice(['overwrite', 'skip', 'fail'], EXISTING, { short: '-a' }), 'skip')

export const formatOf = (file: string, asked: FileFormat | undefined): FileFormat => {
  const extension = extname(file)
  return asked ?? (extension === '.yaml' || extension === '.yml' ? 'yaml' : extension === '.env' ? 'env' : 'json')
}

/** What `read` makes of a file, by name; `-` is what is piped in. What is wrong with it names the file. */
export async function readFrom<Read>(
  file: string,
  asked: FileFormat | undefined,
  { stdin }: Pick<Context, 'stdin'>,
  read: (text: string, format: FileFormat) => Read,
): Promise<Read> {
  const text = file === '-' ? await readPiped(stdin, 'import -') : readText(file)
  try {
    return read(text, formatOf(file, asked))
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    const name = file === '-' ? 'What is piped in' : file
    throw new AppError(error.code, `${name} cannot be imported, and nothing was changed:`, {
      problems: error.problems.length > 0 ? error.problems : [error.message],
    })
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new AppError('not_found', `The file ${file} cannot be read: ${messageOf(cause)}.`, { cause })
  }
}

/** Says what was left out because the file has `***` for its secrets. */
export function tellMasked({ terminal }: Pick<Context, 'terminal'>, masked: readonly string[]): void {
  if (masked.length > 0)
    terminal.line(`${masked.length} are masked in the file and left out: ${masked.join(', ')}. Export them with --show-values.`)
}

/** Writes to a file of the user's alone, or with `-` to the output. */
export function writeEntries({ out }: Context, file: string, asked: FileFormat | undefined, entries: Entries): void {
  const format = formatOf(file, asked)
  const line = ([name, value]: [string, unknown]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}\n`
  const content =
    format === 'json'
      ? `${JSON.stringify(entries, null, 2)}\n`
      : format === 'yaml'
        ? stringify(entries)
        : Object.entries(entries).map(line).join('')
  if (file === '-') out.line(content.trimEnd())
  else writeText(file, content)
}

function writeText(file: string, content: string): void {
  try {
    writeFileSync(file, content, { mode: 0o600 })
  } catch (cause) {
    throw new AppError('invalid', `The file ${file} cannot be written: ${messageOf(cause)}.`, { cause })
  }
}

interface Outcome {
  readonly create?: {
    readonly success: readonly string[]
    readonly errors: readonly { readonly error?: string }[]
  } | null
}

/** As many as the doors take in one action. */
const MOST_AT_ONCE = 1000

/** Brings things in all at once and says what came of it; status 1 when some were refused. */
export async function bring(
  { client, out, terminal }: Context & { readonly client: PlatformClient },
  what: { readonly path: string; readonly noun: string },
  entities: readonly object[],
  existing: 'overwrite' | 'skip' | 'fail',
): Promise<number> {
  const actions = Array.from({ length: Math.ceil(entities.length / MOST_AT_ONCE) }, (_, i) => ({
    action: 'create',
    entities: entities.slice(i * MOST_AT_ONCE, (i + 1) * MOST_AT_ONCE),
    action_on_existence: existing,
  }))
  const { create } = await client.patch<Outcome>(what.path, { actions })
  const { success = [], errors = [] } = create ?? {}
  for (const { error } of errors) terminal.line(error ?? 'One was refused.')
  const left = entities.length - success.length
  out.done(`${success.length} ${what.noun} imported${left > 0 ? `, ${left} left as they are` : ''}.`, { imported: success, errors })
  return errors.length > 0 ? 1 : 0
}
