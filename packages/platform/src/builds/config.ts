/** Reads what describes a build: the file `cloudbuild.yaml` (or .json) of a repository, or the body of a request. All problems at once, each with its place. */
import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml'
import { AppError } from '../core/app-error.ts'
import type { BuildConfig, BuildSource } from './build.ts'
import { BUILD_FILE, BUILD_REQUEST, type Fields, OUTPUT_ONLY } from './config-schema.ts'
import { camelCase, type Path, type Report, readFields } from './read-fields.ts'
import { validateBuild } from './validate.ts'

/** Where a field is written: `cloudbuild.yaml:12:9` in a file, `steps[0].args[1]` in a request. */
export type Locate = (path: Path, at?: 'key' | 'value') => string

export interface ReadBuild {
  readonly config: BuildConfig
  readonly locate: Locate
}

/** Throws `invalid` with every problem. `fileName` is how complaints call the file. */
export function parseBuildFile(text: string, fileName: string): ReadBuild {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, merge: true, prettyErrors: false })
  const locate = locator(document, lines, fileName)
  const problems = document.errors.map((error) => {
    const { line, col } = lines.linePos(error.pos[0])
    return `${fileName}:${line}:${col}: ${error.message}`
  })
  if (problems.length === 0) {
    const report = collector(problems, locate)
    const value: unknown = document.toJS({ maxAliasCount: 100 })
    const config = readBuild(value ?? {}, BUILD_FILE, report)
    if (problems.length === 0) return { config, locate }
  }
  throw new AppError('invalid', `${fileName} does not describe a build.`, { problems: inOrder(problems, fileName) })
}

/** Reads a Build resource as clients send it. Fields that only the service writes are dropped. Throws `invalid` with every problem. */
export function readBuildRequest(body: unknown): ReadBuild & { readonly source: BuildSource | undefined } {
  const problems: string[] = []
  const { source, ...config } = readBuild(body, BUILD_REQUEST, collector(problems, locateInRequest), OUTPUT_ONLY) as BuildConfig & {
    source?: BuildSource
  }
  if (problems.length > 0) throw new AppError('invalid', 'The request does not describe a build.', { problems })
  return { config, locate: locateInRequest, source: source && Object.keys(source).length > 0 ? source : undefined }
}

/** `steps[0].args[1]`. */
export const locateInRequest: Locate = (path) =>
  path.reduce<string>((text, part) => (typeof part === 'number' ? `${text}[${part}]` : text === '' ? part : `${text}.${part}`), '') ||
  'build'

/** Gathers problems as `PLACE: problem`; of several at one place, the first. */
export function collector(problems: string[], locate: Locate): Report {
  const places = new Set<string>()
  return (path, at, problem) => {
    const key = path.map((part) => (typeof part === 'string' ? camelCase(part) : part)).join('/')
    if (places.has(key)) return
    places.add(key)
    problems.push(`${locate(path, at)}: ${problem}`)
  }
}

function readBuild(value: unknown, fields: Fields, report: Report, dropped?: ReadonlySet<string>): BuildConfig {
  const config = readFields(value, fields, 'a build', [], report, dropped) as unknown as BuildConfig
  validateBuild(config, report)
  return config
}

function locator(document: Document, lines: LineCounter, fileName: string): Locate {
  return (path, at = 'value') => {
    let node: unknown = document.contents
    let offset = offsetOf(node) ?? 0
    path.forEach((part, i) => {
      const here = isAlias(node) ? node.resolve(document) : node
      if (isMap(here)) {
        const pair = here.items.find(({ key }) => isScalar(key) && (key.value === part || camelCase(String(key.value)) === part))
        const wantsKey = at === 'key' && i === path.length - 1
        node = pair?.value
        offset = (wantsKey ? undefined : offsetOf(pair?.value)) ?? offsetOf(pair?.key) ?? offset
      } else if (isSeq(here)) {
        node = here.items[part as number]
        offset = offsetOf(node) ?? offset
      }
    })
    const { line, col } = lines.linePos(offset)
    return `${fileName}:${line}:${col}`
  }
}

/** From the top of the file to its end. */
function inOrder(problems: readonly string[], fileName: string): string[] {
  const position = (problem: string) => {
    const [line = 0, column = 0] = problem
      .slice(fileName.length + 1)
      .split(':', 2)
      .map(Number)
    return line * 100_000 + column
  }
  return [...problems].sort((a, b) => position(a) - position(b))
}

function offsetOf(node: unknown): number | undefined {
  const range = (node as { range?: [number, number, number] | null } | null | undefined)?.range
  return range?.[0]
}
