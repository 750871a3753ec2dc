/** `daggerboard.toml` as a flat list: each key with its value and its line. */
import { parse, TomlError } from 'smol-toml'

export interface TomlEntry {
  readonly section: string
  readonly key: string
  readonly value: unknown
  readonly line: number
}

/** Throws `TomlError`, which has the line, for a text that is not TOML. */
export function readToml(text: string): TomlEntry[] {
  const lines = linesOfKeys(text)
  return Object.entries(parse(text)).flatMap(([section, table]) => {
    const line = lines.get(section) ?? 1
    if (!isTable(table)) return [{ section: '', key: section, value: table, line }]
    return Object.entries(table).map(([key, value]) => ({ section, key, value, line: lines.get(`${section}.${key}`) ?? line }))
  })
}

const isTable = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)

/** What the parser says, without the picture that it draws. */
export const tomlProblem = (error: TomlError): string => error.message.split('\n')[0]?.replace('Invalid TOML document: ', '') ?? ''

export { TomlError }

/** The parser does not tell where keys stand. Bare and quoted keys, dotted ones too; the first line of each counts. */
function linesOfKeys(text: string): Map<string, number> {
  const found = new Map<string, number>()
  let table: string[] = []
  for (const [index, line] of text.split('\n').entries()) {
    const header = /^\s*\[\[?\s*([^\]]+?)\s*\]/.exec(line)?.[1]
    if (header) table = namesOf(header)
    const key = header ? '' : /^\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=/.exec(line)?.[1]
    if (header === undefined && key === undefined) continue
    const name = [...table, ...namesOf(key ?? '')]
    for (let depth = 1; depth <= name.length; depth++) {
      const whole = name.slice(0, depth).join('.')
      if (!found.has(whole)) found.set(whole, index + 1)
    }
  }
  return found
}

const namesOf = (key: string): string[] => (key.match(/[\w-]+|"[^"]*"|'[^']*'/g) ?? []).map((name) => name.replace(/^["']|["']$/g, ''))
