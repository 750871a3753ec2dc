/** How the cells of CSV files are written: Spark's options of these names, with Spark's defaults. */
import { AppError } from '../core/app-error.ts'

export interface CsvLayout {
  readonly header: boolean
  /** What stands before a quote inside of a quoted cell. */
  readonly escape: '\\' | '"'
  /** Spaces and control characters around a text are left out. */
  readonly ignoreLeadingWhiteSpace: boolean
  readonly ignoreTrailingWhiteSpace: boolean
}

const READING: CsvLayout = { header: false, escape: '\\', ignoreLeadingWhiteSpace: false, ignoreTrailingWhiteSpace: false }
const WRITING: CsvLayout = { ...READING, ignoreLeadingWhiteSpace: true, ignoreTrailingWhiteSpace: true }
const READING_OPTIONS = ['header', 'escape']
const WRITING_OPTIONS = [...READING_OPTIONS, 'ignoreLeadingWhiteSpace', 'ignoreTrailingWhiteSpace']

/** The layout of files that a script reads; `options` are those of OPTIONS, by their names in lower case. Throws `invalid` for others. */
export const readingLayout = (options: ReadonlyMap<string, string>, line: number) => layout(options, READING, READING_OPTIONS, line)

/** The layout of files that a script writes. Throws `invalid` for options that would be written differently here than by Spark. */
export const writingLayout = (options: ReadonlyMap<string, string>, line: number) => layout(options, WRITING, WRITING_OPTIONS, line)

function layout(options: ReadonlyMap<string, string>, defaults: CsvLayout, supported: readonly string[], line: number): CsvLayout {
  const unknown = [...options.keys()].find((name) => !supported.some((other) => other.toLowerCase() === name))
  if (unknown !== undefined)
    throw new AppError('invalid', `Line ${line}: the CSV option "${unknown}" is not supported. Use ${supported.join(', ')}.`)
  const flag = (name: Exclude<keyof CsvLayout, 'escape'>): boolean => {
    const value = options.get(name.toLowerCase())?.toLowerCase()
    if (value === undefined) return defaults[name]
    if (value !== 'true' && value !== 'false')
      throw new AppError('invalid', `Line ${line}: the CSV option "${name}" is "${value}". Write 'true' or 'false'.`)
    return value === 'true'
  }
  const before = options.get('escape') ?? defaults.escape
  if (before !== '\\' && before !== '"')
    throw new AppError('invalid', `Line ${line}: the CSV option "escape" is "${before}". Write '"' or '\\\\'.`)
  return {
    header: flag('header'),
    escape: before,
    ignoreLeadingWhiteSpace: flag('ignoreLeadingWhiteSpace'),
    ignoreTrailingWhiteSpace: flag('ignoreTrailingWhiteSpace'),
  }
}
