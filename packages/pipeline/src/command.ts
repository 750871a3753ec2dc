/** The command line `pipeline`: what it is told and what it prints. */
import { parseArgs } from 'node:util'
import { parseOverrides } from './configuration.ts'
import { namesIn } from './node.ts'
import { PipelineError } from './pipeline-error.ts'
import { loadRegistry, runProject } from './project.ts'
import type { Progress } from './runner.ts'

const USAGE = `pipeline: runs the pipelines of a model project

  pipeline list                     the pipelines of this project, with their nodes
  pipeline run                      runs one of them

Options of run
  --pipeline NAME                   which one (default __default__)
  --env NAME                        the folder of conf/ that is laid over conf/base (default local)
  --params a.b=1,c=x                parameters that override those of the files
  --from-nodes A,B                  only these nodes and all after them
  --to-nodes A,B                    only these nodes and all before them
  --tags A,B                        only nodes with one of these tags`

export interface CommandOptions {
  /** The project's folder. */
  readonly root: string
  readonly signal: AbortSignal
  readonly print: (line: string) => void
  readonly printError: (line: string) => void
  readonly now: () => Date
}

/** Exit status: 0 for success, 1 when a node failed, 2 when what was asked for cannot be run, 130 when it was stopped. */
export async function runCommand(args: readonly string[], options: CommandOptions): Promise<number> {
  const { print, printError, root, signal } = options
  try {
    const { values, positionals } = parseArguments(args)
    const [verb] = positionals
    if (values.help || verb === undefined) {
      print(USAGE)
      return values.help ? 0 : 2
    }
    if (verb === 'list') {
      await list(root, print)
      return 0
    }
    if (verb !== 'run') throw new PipelineError(`There is no command "${verb}". Use "run" or "list".`)
    const version = options.now().toISOString().replaceAll(':', '.')
    const began = performance.now()
    await runProject({
      root,
      signal,
      version,
      slice: { ...lists('fromNodes', values['from-nodes']), ...lists('toNodes', values['to-nodes']), ...lists('tags', values.tags) },
      overrides: Object.assign({}, ...(values.params ?? []).map(parseOverrides)),
      onProgress: (progress) => print(lineOf(progress)),
      ...(values.pipeline !== undefined && { pipeline: values.pipeline }),
      ...(values.env !== undefined && { environment: values.env }),
    })
    print(`Pipeline "${values.pipeline ?? '__default__'}" finished in ${((performance.now() - began) / 1000).toFixed(1)} s`)
    return 0
  } catch (error) {
    if (signal.aborted) {
      printError('Stopped.')
      return 130
    }
    const isExpected = error instanceof PipelineError
    printError(isExpected ? error.message : textOf(error))
    return isExpected && !(error.cause instanceof PipelineError) ? 2 : 1
  }
}

function parseArguments(args: readonly string[]) {
  const text = { type: 'string' } as const
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        pipeline: text,
        env: text,
        params: { type: 'string', multiple: true },
        'from-nodes': text,
        'to-nodes': text,
        tags: text,
        help: { type: 'boolean', short: 'h' },
      },
    })
  } catch (error) {
    throw new PipelineError(`${(error as Error).message}\n\n${USAGE}`)
  }
}

async function list(root: string, print: (line: string) => void): Promise<void> {
  for (const [name, pipeline] of Object.entries(await loadRegistry(root))) {
    print(name)
    for (const n of pipeline.nodes)
      print(`  ${n.name}: ${namesIn(n.inputs).join(', ') || 'nothing'} → ${namesIn(n.outputs).join(', ') || 'nothing'}`)
  }
}

function lineOf(progress: Progress): string {
  if (progress.type === 'line') return `        ${progress.line}`
  const place = `[${progress.index}/${progress.count}] ${progress.node.name}`
  if (progress.type === 'started') return `${place} …`
  const rows = Object.entries(progress.rows).map(([name, count]) => `${name} ${count.toLocaleString('en')} rows`)
  return `${place}: ${[`${progress.seconds.toFixed(2)} s`, ...rows].join(', ')}`
}

const lists = <Key extends string>(key: Key, text: string | undefined): { [K in Key]?: string[] } =>
  text === undefined ? {} : ({ [key]: text.split(',').map((part) => part.trim()) } as { [K in Key]: string[] })

/** With the stack of what the project's own code threw: that is where to look. */
function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? `${error.message}\n${error.cause.stack}` : (error.stack ?? error.message)
}
