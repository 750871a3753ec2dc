/** Runs a tool's command as a process: environment in, exit status out, Ctrl-C and SIGTERM as an abort. */
import { errorText, parseArguments, type Tool } from './command.ts'
import { Endpoint } from './endpoint.ts'

/** 2 for arguments that cannot be read, as gcloud does; 1 for anything that fails later. */
export async function runTool(tool: Tool, argv: readonly string[]): Promise<void> {
  const interruption = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => interruption.abort(new Error(`Interrupted by ${name}.`)))
  let status = 2
  try {
    const { command, positionals, flags, rest } = parseArguments(tool, argv)
    status = 1
    const { env } = process
    status = await command.run({
      positionals,
      flags,
      rest,
      endpoint: Endpoint.fromEnvironment(env),
      project: flags.string('project') ?? env.CLOUDSDK_CORE_PROJECT ?? env.GOOGLE_CLOUD_PROJECT ?? 'daggerboard',
      directory: process.cwd(),
      environment: env,
      signal: interruption.signal,
      print: (line) => void process.stdout.write(`${line}\n`),
      say: (line) => void process.stderr.write(`${line}\n`),
    })
  } catch (error) {
    process.stderr.write(`${errorText(tool, argv, error)}\n`)
    if (interruption.signal.aborted) status = 130
  }
  process.exitCode = status
}
