/** Files that things are imported from: an object in JSON or YAML, or `NAME=value` lines. */
import { isMap, isPair, LineCounter, parseDocument, visit } from 'yaml'
import { AppError } from '../core/app-error.ts'

export type EntriesFormat = 'json' | 'yaml' | 'env'
export type Entries = Readonly<Record<string, unknown>>

/**
 * Reads the names of a file and what they stand for; with `nameField` the file may also be a list of objects that have their name there.
 * Throws `invalid` with every line that is wrong, and repeats none: there may be secrets in it.
 */
export function parseEntries(text: string, format: EntriesFormat, nameField?: string): Entries {
  const problems: string[] = []
  const read = format === 'env' ? fromLines(text, problems) : fromDocument(text, format, problems)
  const entries = Array.isArray(read) && nameField !== undefined ? fromList(read, nameField, problems) : read
  if (problems.length === 0 && !isEntries(entries)) problems.push('It must be an object: {"NAME": …}.')
  if (problems.length > 0) throw new AppError('invalid', `The ${format.toUpperCase()} cannot be read:`, { problems })
  return entries as Entries
}

export const isEntries = (value: unknown): value is Entries => typeof value === 'object' && value !== null && !Array.isArray(value)

/** JSON is YAML: one reader tells the line of what is wrong in either, and of names that are there twice, which JSON's own passes over. */
function fromDocument(text: string, format: 'json' | 'yaml', problems: string[]): unknown {
  if (format === 'json') {
    try {
      JSON.parse(text)
    } catch {
      const place = placeOfError(text)
      problems.push(`${place}It is not JSON.`)
      return null
    }
  }
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: false })
  for (const { pos, code } of document.errors) problems.push(`Line ${lines.linePos(pos[0]).line}: it is not YAML (${code}).`)
  const seen = new Set<string>()
  if (isMap(document.contents))
    for (const pair of document.contents.items) {
      const name = isPair(pair) ? String((pair.key as { value?: unknown })?.value ?? pair.key) : ''
      const at = (pair.key as { range?: [number, number, number] })?.range?.[0] ?? 0
      if (seen.has(name)) problems.push(`Line ${lines.linePos(at).line}: "${name}" is there twice.`)
      seen.add(name)
    }
  visit(document, {
    Alias: (_, node) => {
      problems.push(`Line ${lines.linePos(node.range?.[0] ?? 0).line}: it refers to another place of the file. Write what stands there.`)
    },
  })
  return problems.length > 0 ? null : format === 'json' ? JSON.parse(text) : document.toJS()
}

function fromList(list: readonly unknown[], nameField: string, problems: string[]): Entries {
  const entries: Record<string, unknown> = {}
  for (const [index, item] of list.entries()) {
    const { [nameField]: name, ...fields } = isEntries(item) ? item : {}
    if (typeof name !== 'string') problems.push(`Element ${index + 1} of the list has no "${nameField}".`)
    else if (Object.hasOwn(entries, name)) problems.push(`Element ${index + 1} of the list: "${name}" is there twice.`)
    else entries[name] = fields
  }
  return entries
}

function placeOfError(text: string): string {
  const lines = new LineCounter()
  const [first] = parseDocument(text, { lineCounter: lines }).errors
  return first ? `Line ${lines.linePos(first.pos[0]).line}: ` : ''
}

/** Empty lines and those that begin with `#` are none. */
function fromLines(text: string, problems: string[]): Entries {
  const entries: Record<string, string> = {}
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '' || line.trimStart().startsWith('#')) continue
    const at = line.indexOf('=')
    const name = line.slice(0, Math.max(0, at)).trim()
    if (name === '') problems.push(`Line ${index + 1} is not NAME=value.`)
    else if (Object.hasOwn(entries, name)) problems.push(`Line ${index + 1}: "${name}" is there twice.`)
    else entries[name] = line.slice(at + 1)
  }
  return entries
}
