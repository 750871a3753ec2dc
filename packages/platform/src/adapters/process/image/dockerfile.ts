/** Reads a Dockerfile into the steps that the process driver can do; refuses the rest by file and line. */
import { type Copy, DockerfileParser, type Instruction, type JSONInstruction, type PropertyInstruction } from 'dockerfile-ast'
import { AppError } from '../../../core/app-error.ts'

export type BuildStep = { readonly line: number; readonly text: string } & (
  | { readonly kind: 'arg'; readonly variables: readonly [name: string, fallback: string | null][] }
  | { readonly kind: 'env' | 'label'; readonly variables: readonly [name: string, value: string][] }
  | { readonly kind: 'workdir' | 'user'; readonly value: string }
  | { readonly kind: 'expose'; readonly ports: readonly string[] }
  | { readonly kind: 'copy'; readonly sources: readonly string[]; readonly target: string; readonly mode: number | null }
  | { readonly kind: 'run' | 'cmd' | 'entrypoint'; readonly argv: readonly string[] }
)

export interface Dockerfile {
  /** The image to build on, with the arguments before it filled in. */
  readonly base: string
  readonly steps: readonly BuildStep[]
}

type Variables = ReadonlyMap<string, string>

const MEND = 'Build this image with the container driver, or on Google Cloud Build.'

/** `file` is its name for messages; `buildArguments` are those of `--build-arg`. Throws `invalid` with all that is not supported. */
export function readDockerfile(text: string, file: string, buildArguments: Variables): Dockerfile {
  const problems: string[] = []
  const steps: BuildStep[] = []
  const global = new Map<string, string>()
  let base: string | null = null
  for (const instruction of DockerfileParser.parse(text).getInstructions()) {
    const line = instruction.getRange().start.line + 1
    const refuse = (what: string) => problems.push(`${file}:${line}: ${what}`)
    const keyword = instruction.getKeyword().toUpperCase()
    if (keyword === 'FROM') {
      if (base !== null) refuse('a second FROM (a build in stages) is not supported by the process driver')
      else base = readFrom(instruction, global, refuse)
    } else if (base === null) {
      if (keyword === 'ARG')
        for (const [name, fallback] of readArguments(instruction)) global.set(name, buildArguments.get(name) ?? fallback ?? '')
      else refuse(`${keyword} stands before FROM`)
    } else {
      const step = readStep(instruction, keyword, refuse)
      if (step)
        steps.push({
          ...step,
          line,
          text: `${keyword} ${instruction.getRawArgumentsContent() ?? ''}`.replaceAll(/\\\r?\n\s*/g, ''),
        } as BuildStep)
    }
  }
  if (base === null) problems.push(`${file}: there is no FROM`)
  if (problems.length > 0) throw new AppError('invalid', `This image cannot be built by the process driver. ${MEND}`, { problems })
  return { base: base ?? '', steps }
}

type Refuse = (what: string) => void
type StepBody = BuildStep extends infer Step ? (Step extends BuildStep ? Omit<Step, 'line' | 'text'> : never) : never

function readFrom(instruction: Instruction, variables: Variables, refuse: Refuse): string {
  const words = instruction.getArguments().map((argument) => argument.getValue())
  const image = expand(words[0] ?? '', variables)
  if (image === '') refuse('FROM names no image')
  return image
}

function readStep(instruction: Instruction, keyword: string, refuse: Refuse): StepBody | null {
  const value = instruction.getArgumentsContent() ?? ''
  switch (keyword) {
    case 'ARG':
      return { kind: 'arg', variables: readArguments(instruction) }
    case 'ENV':
    case 'LABEL':
      return { kind: keyword === 'ENV' ? 'env' : 'label', variables: readProperties(instruction) }
    case 'WORKDIR':
    case 'USER':
      return { kind: keyword === 'USER' ? 'user' : 'workdir', value: unquote(value) }
    case 'EXPOSE':
      return { kind: 'expose', ports: value.split(/\s+/) }
    case 'COPY':
    case 'ADD':
      return readCopy(instruction as Copy, keyword, refuse)
    case 'RUN':
      return readRun(instruction as JSONInstruction, refuse)
    case 'CMD':
      return { kind: 'cmd', argv: readArgv(instruction as JSONInstruction) }
    case 'ENTRYPOINT':
      return { kind: 'entrypoint', argv: readArgv(instruction as JSONInstruction) }
    default:
      refuse(`${keyword} is not supported by the process driver`)
      return null
  }
}

function readCopy(instruction: Copy, keyword: string, refuse: Refuse): StepBody | null {
  let mode: number | null = null
  for (const flag of instruction.getFlags()) {
    if (flag.getName() === 'chmod' && /^[0-7]{3,4}$/.test(flag.getValue() ?? '')) mode = Number.parseInt(flag.getValue() ?? '', 8)
    // The process driver runs everything as one user.
    else if (flag.getName() !== 'chown' && flag.getName() !== 'link')
      refuse(`${keyword} --${flag.getName()} is not supported by the process driver`)
  }
  if (instruction.getHeredocs().length > 0) refuse(`${keyword} with a here-document is not supported by the process driver`)
  const json = instruction.getJSONStrings().map((text) => text.getJSONValue())
  const words = json.length > 0 ? json : instruction.getArguments().map((argument) => unquote(argument.getValue()))
  const target = words.pop()
  if (target === undefined || words.length === 0) {
    refuse(`${keyword} needs at least one source and a target`)
    return null
  }
  for (const source of words) {
    if (/^(?:https?|ftp|git):|^git@/.test(source))
      refuse(`${keyword} of "${source}" is not supported by the process driver: fetch it in a step before`)
    if (keyword === 'ADD' && /\.(?:tar|tgz|tar\.\w+|gz|bz2|xz)$/.test(source))
      refuse(`ADD of the archive "${source}" would unpack it, which the process driver does not: unpack it in a step before, and COPY`)
  }
  return { kind: 'copy', sources: words, target, mode }
}

function readRun(instruction: JSONInstruction, refuse: Refuse): StepBody {
  for (const flag of instruction.getFlags()) {
    const isCache = flag.getName() === 'mount' && /(?:^|,)type=cache(?:,|$)/.test(flag.getValue() ?? '')
    // A cache is only there to save time, and the host has its own.
    if (!isCache) refuse(`RUN --${flag.getName()}=${flag.getValue()} is not supported by the process driver`)
  }
  if ((instruction as unknown as Copy).getHeredocs().length > 0) refuse('RUN with a here-document is not supported by the process driver')
  return { kind: 'run', argv: readArgv(instruction) }
}

/** The JSON form as it is; the other one as Docker runs it, by a shell. */
function readArgv(instruction: JSONInstruction): string[] {
  const json = instruction.getJSONStrings().map((text) => text.getJSONValue())
  return json.length > 0 ? json : ['/bin/sh', '-c', instruction.getRawArgumentsContent() ?? '']
}

function readArguments(instruction: Instruction): [string, string | null][] {
  return (instruction as PropertyInstruction).getProperties().map((property) => [property.getName(), property.getValue()])
}

function readProperties(instruction: Instruction): [string, string][] {
  return (instruction as PropertyInstruction).getProperties().map((property) => [unquote(property.getName()), property.getValue() ?? ''])
}

const unquote = (text: string): string =>
  /^"(.*)"$|^'(.*)'$/
    .exec(text)
    ?.slice(1)
    .find((inner) => inner !== undefined) ?? text

/** `$NAME`, `${NAME}`, `${NAME:-fallback}` and `${NAME:+instead}`; `\$` stands for itself. */
export function expand(text: string, variables: Variables): string {
  return text.replaceAll(
    /\\\$|\$(\w+)|\$\{(\w+)(?::([-+])([^}]*))?\}/g,
    (match, plain?: string, braced?: string, how?: string, word = '') => {
      if (match === '\\$') return '$'
      const value = variables.get(plain ?? braced ?? '') ?? ''
      if (how === '-') return value === '' ? expand(word, variables) : value
      if (how === '+') return value === '' ? '' : expand(word, variables)
      return value
    },
  )
}
