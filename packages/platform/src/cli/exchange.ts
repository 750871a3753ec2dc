/** Files that things come from and go to: JSON, YAML and `NAME=value` lines, in the forms of Airflow's import and export. */
import { readFileSync, writeFileSync } from 'node:fs'
import { extname } from 'node:path'
import { parse, stringify } from 'yaml'
import { AppError, messageOf } from '../core/app-error.ts'
import type { PlatformClient } from './client.ts'
import { choice, withDefault } from './command.ts'
import { readPiped } from './confirm.ts'
import type { Context } from './context.ts'

export type Entries = Readonly<Record<string, unknown>>

/** What stands for a secret in the answers of the platform. */
export const MASK = '***'

const FILE_FORMATS = ['json', 'yaml', 'env'] as const
type FileFormat = (typeof FILE_FORMATS)[number]

export const fileFormat = choice(FILE_FORMATS, 'the form of the file (default: by its name, else JSON)')

export const onExisting = withDefault(choice(['overwrite', 'skip', 'fail'], 'what to do with those that are there already'), 'overwrite')

const formatOf = (file: string, asked: FileFormat | undefined): FileFormat => {
  const extension = extname(file)
  return asked ?? (extension === '.yaml' || extension === '.yml' ? 'yaml' : extension === '.env' ? 'env' : 'json')
}

/** By name; `-` is what is piped in. Throws `invalid` for what is not in that form, without repeating it: there may be secrets in it. */
export async function readEntries(file: string, asked: FileFormat | undefined, { stdin }: Pick<Context, 'stdin'>): Promise<Entries> {
  const content = file === '-' ? await readPiped(stdin, 'import -') : readText(file)
  const format = formatOf(file, asked)
  if (format === 'env') return envEntries(file, content)
  let value: unknown = null
  let reason = ''
  try {
    value = format === 'json' ? JSON.parse(content) : parse(content)
  } catch (error) {
    const { linePos } = error as { linePos?: readonly { readonly line: number }[] }
    reason = linePos?.[0] ? ` (line ${linePos[0].line})` : (/ at position \d+| \(line \d+ column \d+\)/.exec(messageOf(error))?.[0] ?? '')
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Entries
  throw new AppError('invalid', `${file} is not an object in ${format.toUpperCase()}${reason}. It must be {"NAME": …}.`)
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new AppError('not_found', `The file ${file} cannot be read: ${messageOf(cause)}.`, { cause })
  }
}

/** `NAME=value` on each line; empty lines and those that begin with `#` are none. */
function envEntries(file: string, content: string): Entries {
  const problems: string[] = []
  const entries: Record<string, string> = {}
  for (const [index, line] of content.split(/\r?\n/).entries()) {
    if (line.trim() === '' || line.trimStart().startsWith('#')) continue
    const at = line.indexOf('=')
    if (at > 0) entries[line.slice(0, at).trim()] = line.slice(at + 1)
    else problems.push(`${file}:${index + 1} is not NAME=value.`)
  }
  if (problems.length > 0) throw new AppError('invalid', `${file} cannot be read:`, { problems })
  return entries
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
  else writeFileSync(file, content, { mode: 0o600 })
}

interface Outcome {
  readonly create?: {
    readonly success: readonly string[]
    readonly errors: readonly { readonly error?: string }[]
  } | null
}

/** Brings things in all at once and says what came of it; status 1 when some were refused. */
export async function bring(
  { client, out, terminal }: Context & { readonly client: PlatformClient },
  what: { readonly path: string; readonly noun: string },
  entities: readonly object[],
  existing: 'overwrite' | 'skip' | 'fail',
): Promise<number> {
  const body = { actions: [{ action: 'create', entities, action_on_existence: existing }] }
  const { create } = await client.patch<Outcome>(what.path, body)
  const { success = [], errors = [] } = create ?? {}
  for (const { error } of errors) terminal.line(error ?? 'One was refused.')
  const left = entities.length - success.length
  out.done(`${success.length} ${what.noun} imported${left > 0 ? `, ${left} left as they are` : ''}.`, { imported: success, errors })
  return errors.length > 0 ? 1 : 0
}
