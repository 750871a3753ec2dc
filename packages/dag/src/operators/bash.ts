/** Runs a shell command. */
import type { Operator } from '../operator.ts'
import { FailTask, SkipTask } from '../outcome.ts'
import type { TaskContext } from '../task-context.ts'

export interface BashArgs {
  /** A template, or the path of one that ends in `.sh`. Values that others decide belong in `env`: in the command they would be run. */
  readonly command: string
  /** Environment variables of the command, by name. */
  readonly env?: Readonly<Record<string, string>>
  /** Whether it has the worker's environment beneath. Default true, as most commands need `PATH`. */
  readonly appendEnv?: boolean
  /** Default: the folder of the worker. */
  readonly cwd?: string
  /** An exit status that means `skipped`; null for none. Default 99. */
  readonly skipOnExitCode?: number | null
}

const SKIP_STATUS = 99
const LAST_WORDS_MS = 50

/** Runs `command` by `bash -c`; what it prints is in the log, and the last line of its standard output is the output. Exit status 0 is success. */
export const bash = (args: BashArgs): Operator<BashArgs, string> => ({
  name: 'Bash',
  args,
  templateFields: ['command', 'env', 'cwd'],
  templateExtensions: ['.sh', '.bash'],
  run: runCommand,
})

async function runCommand(
  { command, env = {}, appendEnv = true, cwd, skipOnExitCode = SKIP_STATUS }: BashArgs,
  context: TaskContext,
): Promise<string> {
  context.signal.throwIfAborted()
  const { spawn } = await import('node:child_process')
  const child = spawn('bash', ['-c', command], {
    ...(cwd !== undefined && { cwd }),
    env: { ...(appendEnv && process.env), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stop = (): void => {}
  // What the command leaves behind may hold its output open: nobody waits for that.
  const stopped = new Promise<never>((_, reject) => {
    stop = () => {
      const end = () => setTimeout(() => reject(context.signal.reason), LAST_WORDS_MS)
      if (child.exitCode !== null || child.signalCode !== null) end()
      else child.once('exit', end).kill('SIGTERM')
    }
  })
  context.signal.addEventListener('abort', stop)
  try {
    let last = ''
    const hear = async (stream: NodeJS.ReadableStream, onLine: (line: string) => void): Promise<void> => {
      let rest = ''
      for await (const text of stream.setEncoding('utf8')) {
        const lines = (rest + text).split('\n')
        rest = lines.pop() ?? ''
        for (const line of lines) onLine(line)
      }
      if (rest !== '') onLine(rest)
    }
    const ended = new Promise<number | string>((resolve, reject) => {
      child.on('error', reject)
      child.on('close', (status, signal) => resolve(status ?? signal ?? 'no status'))
    })
    const heard = Promise.all([
      hear(child.stdout, (line) => {
        context.log(line)
        last = line
      }),
      hear(child.stderr, (line) => context.log(line)),
    ])
    const [status] = await Promise.race([Promise.all([ended, heard]), stopped])
    if (status === 0) return last
    if (skipOnExitCode !== null && status === skipOnExitCode)
      throw new SkipTask(`The command ended with ${status}, which means that it is skipped.`)
    throw new Error(`The command ended with ${status}. What it printed is in the log.`)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      throw new FailTask(`The command cannot be run: there is no bash on this machine, or no folder "${cwd ?? ''}".`)
    }
    throw error
  } finally {
    context.signal.removeEventListener('abort', stop)
  }
}
