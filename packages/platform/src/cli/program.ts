/** The commands' tables as a program: commander reads the words, the tables say what they mean. */
import { Argument, CommanderError, Option, Command as Program } from 'commander'
import { AppError, messageOf, publicMessage } from '../core/app-error.ts'
import { inspectSettings } from '../settings.ts'
import { findAccess } from './access.ts'
import { PlatformClient } from './client.ts'
import { type Command, type CommandGroup, usageError } from './command.ts'
import { confirm } from './confirm.ts'
import type { Context, World } from './context.ts'
import { FORMATS, type Format, Output, plainLines } from './output.ts'
import { commonOptions, flagsOf, helpOf, kebab, wordOf } from './spelling.ts'
import { Terminal } from './terminal.ts'

export interface Commands {
  readonly groups: readonly CommandGroup[]
  readonly alone: readonly Command[]
}

/** Runs what `args` ask for and answers the exit status: 0, 1 when it failed, 2 when it was not understood, 130 when it was interrupted. */
export async function runProgram(commands: Commands, args: readonly string[], world: World): Promise<number> {
  let status = 0
  // `2>&1 | head`: nobody reads how it goes on, which is no reason to stop.
  world.stderr.on('error', () => {})
  const program = decorate(new Program('daggerboard'), world)
    .description(`Daggerboard ${world.host.version}: schedules, builds and serves models, in one process.`)
    .version(world.host.version, '--version', 'show the version')
    .helpCommand('help [command]', 'show all commands, or the options of one')
  const onDone = (answered: number) => {
    status = answered
  }
  for (const each of commands.alone) addCommand(program, each, each.name, world, onDone)
  for (const group of commands.groups) {
    const parent = decorate(program.command(group.name), world).description(group.summary)
    for (const each of group.commands) addCommand(parent, each, `${group.name} ${each.name}`, world, onDone)
  }
  try {
    await program.parseAsync([...args], { from: 'user' })
    return status
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 && args.length > 0 ? 0 : 2
    if (world.signal.aborted) return 130
    world.stderr.write(`${plainLines(sentenceOf(error))}\n`)
    return error instanceof AppError && typeof error.facts.exitStatus === 'number' ? error.facts.exitStatus : 1
  }
}

/** What commander copies to no command by itself. */
const decorate = (program: Program, { stdout, stderr }: World): Program =>
  program
    .exitOverride()
    .configureOutput({ writeOut: (text) => stdout.write(text), writeErr: (text) => stderr.write(text) })
    .configureHelp({ showGlobalOptions: false })
    .showHelpAfterError('(add --help for what can be given)')
    .showSuggestionAfterError()

function addCommand(parent: Program, command: Command, name: string, world: World, onDone: (status: number) => void): void {
  const program = decorate(parent.command(command.name), world)
    .summary(command.summary)
    .description([command.summary, command.details].filter(Boolean).join('\n\n'))
    .aliases(command.aliases ?? [])
  for (const [key, argument] of Object.entries(command.args)) program.addArgument(new Argument(wordOf(key, argument), argument.help))
  const options = new Map<string, Option>()
  for (const [key, option] of Object.entries({ ...command.options, ...commonOptions(command) })) {
    const made = new Option(flagsOf(key, option), helpOf(option))
    if (option.isRequired) made.makeOptionMandatory()
    if (option.isMany) made.argParser((text, before: string[] | undefined) => [...(before ?? []), text])
    options.set(key, made)
    program.addOption(made)
  }
  program.action(async (...given: unknown[]) => {
    const found = program.opts<Readonly<Record<string, unknown>>>()
    // Of --no-this commander makes a `this` that is false.
    const asked = (option: Option) => {
      const value = found[option.attributeName()]
      return option.negate ? value === false : value
    }
    const values = Object.fromEntries([...options].map(([key, option]) => [key, asked(option)]))
    const texts = { ...Object.fromEntries(Object.keys(command.args).map((key, at) => [key, given[at]])), ...values }
    const answer = await run(command, name, texts, world)
    onDone(typeof answer === 'number' ? answer : 0)
  })
}

type Texts = Readonly<Record<string, unknown>>

async function run(command: Command, name: string, texts: Texts, world: World): Promise<unknown> {
  const inspected = inspectSettings(world.env, typeof texts.config === 'string' ? { config: texts.config } : {})
  const { defaultTimezone: zone, home } = inspected.settings
  const values = readValues(command, name, texts, zone)
  const format = (texts.output as Format | undefined) ?? 'table'
  const endpoint = (texts.endpoint as string | undefined) ?? null
  const client = command.isLocal ? null : new PlatformClient(await findAccess(world, endpoint, home))
  const context: Context = {
    ...world,
    endpoint,
    inspected,
    zone,
    out: new Output(format, (text) => world.stdout.write(text)),
    terminal: new Terminal(world.stderr),
    confirm: (question, isAgreed) => confirm(world, question, isAgreed, name),
    get client() {
      if (client) return client
      throw new AppError('internal', `"daggerboard ${name}" says that it needs no platform, and asks for one.`)
    },
  }
  try {
    return await command.run(context, values)
  } finally {
    context.terminal.status('')
  }
}

/** Throws a usage error with everything that is wrong. */
function readValues(command: Command, name: string, texts: Texts, zone: string): Record<string, unknown> {
  const problems: string[] = []
  const values: Record<string, unknown> = {}
  const read = (key: string, shown: string, reads: (text: string, zone: string) => unknown, given: unknown) => {
    try {
      values[key] = typeof given === 'string' ? reads(given, zone) : given
    } catch (error) {
      if (error instanceof AppError) throw error
      problems.push(`${shown} ${JSON.stringify(given)}: ${messageOf(error)}.`)
    }
  }
  for (const [key, argument] of Object.entries(command.args)) read(key, `<${kebab(key)}>`, argument.read, texts[key])
  for (const [key, option] of Object.entries(command.options)) {
    const given = texts[key]
    if (option.choices && typeof given === 'string' && !option.choices.includes(given))
      problems.push(`--${kebab(key)} ${JSON.stringify(given)}: must be one of ${option.choices.join(', ')}.`)
    else if (given === undefined) values[key] = option.metavar === null ? false : option.default
    else read(key, `--${kebab(key)}`, option.read, given)
  }
  if (texts.output !== undefined && !FORMATS.some((format) => format === texts.output))
    problems.push(`--output ${JSON.stringify(texts.output)}: must be one of ${FORMATS.join(', ')}.`)
  if (problems.length > 0) throw usageError(problems, name)
  return values
}

function sentenceOf(error: unknown): string {
  if (!(error instanceof AppError)) return error instanceof Error ? (error.stack ?? error.message) : String(error)
  if (typeof error.facts.sentence === 'string') return error.facts.sentence
  return error.code === 'internal' ? (error.stack ?? error.message) : publicMessage(error)
}
