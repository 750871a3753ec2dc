/** What one verb of a tool is (`gcloud builds submit`, `docker build`): its words, its flags, what it does; and how arguments become both. */
import { AppError, didYouMean, messageOf } from '../../../core/app-error.ts'
import type { Endpoint } from './endpoint.ts'

/**
 * `boolean` may be given as `--x`, `--no-x` or `--x=true`; `list` and `map` may be repeated and hold commas (`a,b`, `A=b,C=d`; gcloud's `^|^a|b`
 * names another separator); `repeated` may be repeated and keeps commas.
 */
interface Flag {
  readonly kind: 'string' | 'boolean' | 'list' | 'map' | 'repeated'
  /** One letter: `t` for `-t`. */
  readonly short?: string
  /** Accepted and without effect here, because it changes nothing that exists here (`--quiet`, `--platform managed`). */
  readonly ignored?: boolean
}

export type Flags = Readonly<Record<string, Flag>>

/** What the arguments said, by the flag's name without dashes. Absent flags are absent. */
export class Values {
  #values = new Map<string, string | boolean | string[] | Map<string, string>>()

  set(name: string, value: string | boolean | string[] | Map<string, string>): void {
    this.#values.set(name, value)
  }

  has(name: string): boolean {
    return this.#values.has(name)
  }

  string(name: string): string | undefined {
    const value = this.#values.get(name)
    return typeof value === 'string' ? value : undefined
  }

  /** False when absent, unless `fallback` says otherwise. */
  boolean(name: string, fallback = false): boolean {
    const value = this.#values.get(name)
    return typeof value === 'boolean' ? value : fallback
  }

  list(name: string): string[] {
    const value = this.#values.get(name)
    return Array.isArray(value) ? value : []
  }

  map(name: string): ReadonlyMap<string, string> {
    const value = this.#values.get(name)
    return value instanceof Map ? value : new Map()
  }
}

/** One call of a command. */
export interface Invocation {
  readonly positionals: readonly string[]
  readonly flags: Values
  /** Everything behind `--`. */
  readonly rest: readonly string[]
  readonly endpoint: Endpoint
  readonly project: string
  readonly directory: string
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Aborts on Ctrl-C and when the step is terminated. */
  readonly signal: AbortSignal
  /** A line on standard output: what scripts read. */
  print(line: string): void
  /** A line on standard error: what people read. */
  say(line: string): void
}

export interface Command {
  /** The words after the tool's name: `['builds', 'submit']`. */
  readonly path: readonly string[]
  /** How many positional arguments it takes; any number without `maximum`. */
  readonly positionals?: { readonly minimum: number; readonly maximum?: number; readonly names: string }
  readonly flags: Flags
  /** Stops reading flags at the first positional argument, as `docker run IMAGE COMMAND…` does. */
  readonly stopsAtPositional?: boolean
  /** Answers the exit status. Throws AppError for what cannot be done. */
  run(invocation: Invocation): Promise<number>
}

/** A whole tool. Its file exports it under its own name (`export const docker: Tool`); `main.ts` beside this starts it. */
export interface Tool {
  readonly name: string
  readonly commands: readonly Command[]
  /** Flags that every command takes (`--project`, `--quiet`). */
  readonly flags: Flags
}

/** Finds the command and reads its arguments; throws AppError naming what is not supported and what could do it. */
export function parseArguments(
  tool: Tool,
  argv: readonly string[],
): { command: Command; positionals: string[]; flags: Values; rest: string[] } {
  // Flags of the tool may stand before the verb (`gcloud --project p builds list`): they are moved behind it.
  const leading: string[] = []
  let start = 0
  while (start < argv.length && argv[start]?.startsWith('-')) {
    const known = lookUp(tool.flags, argv[start] ?? '')
    if (!known) break
    leading.push(argv[start++] ?? '')
    if (known.flag.kind !== 'boolean' && !leading.at(-1)?.includes('=') && start < argv.length) leading.push(argv[start++] ?? '')
  }
  const words = argv.slice(start)
  const command = [...tool.commands]
    .sort((a, b) => b.path.length - a.path.length)
    .find((candidate) => candidate.path.every((word, i) => words[i] === word))
  if (!command) throw unsupportedCommand(tool, words)
  const known = { ...tool.flags, ...command.flags }
  const parsed = readFlags(known, [...leading, ...words.slice(command.path.length)], `${tool.name} ${command.path.join(' ')}`, command)
  const { minimum = 0, maximum = Number.POSITIVE_INFINITY, names = '' } = command.positionals ?? { minimum: 0, maximum: 0 }
  if (parsed.positionals.length < minimum || parsed.positionals.length > maximum)
    throw new AppError(
      'invalid',
      `"${tool.name} ${command.path.join(' ')}" takes ${names || 'no positional arguments'}, but was given: ${parsed.positionals.join(' ') || 'none'}.`,
    )
  return { command, ...parsed }
}

function unsupportedCommand(tool: Tool, words: readonly string[]): AppError {
  const given = words.filter((word) => !word.startsWith('-')).slice(0, 3)
  const known = tool.commands.map((c) => c.path.join(' '))
  return new AppError(
    'invalid',
    `"${[tool.name, ...given].join(' ')}" is not supported by the process driver's own ${tool.name}. It has: ${known.join(', ')}. ` +
      `Run this step with the container driver and the real ${tool.name}, or on Google Cloud Build.${didYouMean(given.join(' '), known)}`,
  )
}

function readFlags(
  known: Flags,
  argv: readonly string[],
  verb: string,
  command: Command,
): { positionals: string[]; flags: Values; rest: string[] } {
  const flags = new Values()
  const positionals: string[] = []
  const rest: string[] = []
  const problems: string[] = []
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i] ?? ''
    if (word === '--') {
      rest.push(...argv.slice(i + 1))
      break
    }
    if (!word.startsWith('-') || word === '-') {
      if (command.stopsAtPositional) {
        positionals.push(...argv.slice(i))
        break
      }
      positionals.push(word)
      continue
    }
    const found = lookUp(known, word)
    if (!found) {
      problems.push(
        `${word.split('=')[0]} is not supported by "${verb}" here.${didYouMean(word.replace(/^-+/, '').split('=')[0] ?? '', Object.keys(known))}`,
      )
      // A value that follows an unknown flag must not count as a positional argument.
      if (!word.includes('=') && argv[i + 1] !== undefined && !argv[i + 1]?.startsWith('-')) i++
      continue
    }
    const { name, flag, inline, negated } = found
    if (flag.kind === 'boolean') {
      flags.set(name, negated ? false : inline === undefined || inline === 'true')
      continue
    }
    const value = inline ?? argv[++i]
    if (value === undefined) problems.push(`${word} needs a value.`)
    else store(flags, name, flag, value, problems)
  }
  if (problems.length > 0)
    throw new AppError('invalid', `"${verb}" cannot run like this. The container driver with the real tool, or Google itself, may.`, {
      problems,
    })
  return { positionals, flags, rest }
}

function store(flags: Values, name: string, flag: Flag, value: string, problems: string[]): void {
  if (flag.kind === 'string') flags.set(name, value)
  else if (flag.kind === 'repeated') flags.set(name, [...flags.list(name), value])
  else if (flag.kind === 'list') flags.set(name, [...flags.list(name), ...itemsOf(value)])
  else flags.set(name, new Map([...flags.map(name), ...pairsOf(name, value, problems)]))
}

function itemsOf(value: string): string[] {
  const custom = /^\^([^^]+)\^/.exec(value)
  const items = custom ? value.slice(custom[0].length).split(custom[1] ?? ',') : value.split(',')
  return items.filter((item) => item !== '')
}

function pairsOf(name: string, value: string, problems: string[]): [string, string][] {
  return itemsOf(value).flatMap((item): [string, string][] => {
    const equals = item.indexOf('=')
    if (equals > 0) return [[item.slice(0, equals), item.slice(equals + 1)]]
    problems.push(`--${name} takes KEY=VALUE pairs, but was given "${item}".`)
    return []
  })
}

function lookUp(known: Flags, word: string): { name: string; flag: Flag; inline: string | undefined; negated: boolean } | null {
  if (!word.startsWith('--')) {
    const letter = word[1]
    const entry = Object.entries(known).find(([, flag]) => flag.short === letter)
    if (!entry) return null
    const inline = word.length > 2 ? word.slice(word[2] === '=' ? 3 : 2) : undefined
    return entry[1].kind === 'boolean' && inline !== undefined ? null : { name: entry[0], flag: entry[1], inline, negated: false }
  }
  const equals = word.indexOf('=')
  const name = word.slice(2, equals < 0 ? undefined : equals)
  const inline = equals < 0 ? undefined : word.slice(equals + 1)
  const flag = known[name]
  if (flag) return { name, flag, inline, negated: false }
  const positive = name.startsWith('no-') ? known[name.slice(3)] : undefined
  return positive?.kind === 'boolean' ? { name: name.slice(3), flag: positive, inline, negated: true } : null
}

/** The text of an error as gcloud words it; problems are listed below. */
export function errorText(tool: Tool, argv: readonly string[], error: unknown): string {
  const verb = argv.filter((word) => /^[a-z][a-z-]*$/.test(word)).slice(0, 2)
  const problems = error instanceof AppError ? error.problems.map((problem) => `\n  - ${problem}`).join('') : ''
  return `ERROR: (${[tool.name, ...verb].join('.')}) ${messageOf(error)}${problems}`
}
