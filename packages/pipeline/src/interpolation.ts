/** `${env:NAME}` and `${env:NAME,default}` in configuration files. */

export interface InterpolationOptions {
  readonly variables: NodeJS.ProcessEnv
  /** The file, for messages. */
  readonly source: string
  /** Takes what is wrong: a variable that is not set and has no default, and one that is not a number where the default is. */
  readonly problems: string[]
}

const PATTERN = /\$\{env:([A-Za-z_][A-Za-z0-9_]*)(?:,([^}]*))?\}/g
const WHOLE = new RegExp(`^${PATTERN.source}$`)

/**
 * `value` with every variable filled in. A variable that is empty counts as not set. Where it is the whole text, it
 * takes the type of its default: `${env:FOLDS,3}` is a number.
 */
export function interpolate(value: unknown, options: InterpolationOptions): unknown {
  if (typeof value === 'string') return interpolateText(value, options)
  if (Array.isArray(value)) return value.map((item) => interpolate(item, options))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, interpolate(item, options)]))
}

function interpolateText(text: string, options: InterpolationOptions): unknown {
  const { source, problems, variables } = options
  const filled = text.replace(PATTERN, (_, name: string, byDefault: string | undefined) => {
    const given = variables[name]
    if (given) return given
    if (byDefault === undefined)
      problems.push(`${source} needs the environment variable ${name}. Set it, or write \${env:${name},default}.`)
    return byDefault?.trim() ?? ''
  })
  const [, name, byDefault] = WHOLE.exec(text) ?? []
  if (byDefault === undefined || byDefault.trim() === '') return filled
  if (['true', 'false'].includes(byDefault.trim())) return filled === 'true'
  if (Number.isNaN(Number(byDefault))) return filled
  if (Number.isNaN(Number(filled))) problems.push(`${source}: the environment variable ${name} is "${filled}", which is not a number`)
  return Number(filled)
}
