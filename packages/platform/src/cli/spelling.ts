/** How the names in the tables of commands are written on a command line. */
import { type Argument, type Command, choice, type Option, type Options, text } from './command.ts'
import { FORMATS } from './output.ts'

/** `dagId` is `dag-id`. */
export const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)

/** `<dag-id>`, `[dag-ids...]` */
export function wordOf(key: string, { isOptional, isMany }: Argument<unknown>): string {
  const word = `${kebab(key)}${isMany ? '...' : ''}`
  return isOptional ? `[${word}]` : `<${word}>`
}

/** `-c, --conf <JSON>` */
export const flagsOf = (key: string, { short, metavar }: Option<unknown>): string =>
  `${short ? `${short}, ` : ''}--${kebab(key)}${metavar === null ? '' : ` <${metavar}>`}`

/** What an option is for, with its default and whether it may be repeated. */
export function helpOf({ help, default: fallback, isMany, isRequired }: Option<unknown>): string {
  const notes = [
    isRequired && 'needed',
    isMany && 'may be given several times',
    fallback !== undefined && !isMany && `default: ${fallback}`,
  ]
  const told = notes.filter(Boolean)
  return told.length === 0 ? help : `${help} (${told.join('; ')})`
}

/** Those that every command has beside its own. */
export function commonOptions({ isLocal, options }: Pick<Command, 'isLocal' | 'options'>): Options {
  const endpoint = text('URL', 'address of the platform (default: DAGGERBOARD_ENDPOINT, or the one that runs in the home)')
  return {
    output: choice(FORMATS, 'how the answer is written', { short: '-o' }),
    ...(isLocal || options.endpoint ? {} : { endpoint }),
    config: text('FILE', 'the settings file of this machine (default: DAGGERBOARD_CONFIG, or daggerboard.toml here or in the home)'),
  }
}
