/** Runs a program as a process group of its own: its output line by line, its end as a whole tree. */
import { spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'

export interface ChildOptions {
  readonly file: string
  readonly args: readonly string[]
  readonly directory: string
  readonly environment: Readonly<Record<string, string>>
  readonly signal: AbortSignal
  onLine(line: string): void
  onStart?(pid: number): void
}

/** What a shell answers for a program that is not there. */
const NOT_FOUND_STATUS = 127
const GRACE_MS = 5000
/** How long output may still come from what has left the process group. */
const LAST_OUTPUT_MS = 500
const LONGEST_LINE = 64 * 1024

/**
 * Answers the exit status (128 + the signal's number for a killed one, 127 for a program that is not there). When `signal` aborts, the
 * whole group is asked to end, killed 5 seconds later, and the promise rejects with the signal's reason once it is gone.
 */
export function runChild({ file, args, directory, environment, signal, onLine, onStart }: ChildOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason as Error)
    const child = spawn(file, args, { cwd: directory, env: environment, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
    let grace: NodeJS.Timeout | undefined
    const end = () => {
      killGroup(child.pid, 'SIGTERM')
      grace = setTimeout(() => killGroup(child.pid, 'SIGKILL'), GRACE_MS)
    }
    const settle = (finish: () => void) => {
      signal.removeEventListener('abort', end)
      clearTimeout(grace)
      finish()
    }
    signal.addEventListener('abort', end, { once: true })
    for (const stream of [child.stdout, child.stderr]) eachLine(stream, onLine)
    if (child.pid !== undefined) onStart?.(child.pid)
    child.once('error', (error: NodeJS.ErrnoException) =>
      settle(() => {
        if (error.code !== 'ENOENT' && error.code !== 'EACCES') return reject(error)
        onLine(`exec: "${file}": ${error.code === 'ENOENT' ? 'executable file not found in $PATH' : 'permission denied'}`)
        resolve(NOT_FOUND_STATUS)
      }),
    )
    // When the first process has ended, so has the step: what it left in the background goes too, as with a container.
    child.once('exit', () => {
      killGroup(child.pid, 'SIGKILL')
      setTimeout(() => {
        child.stdout.destroy()
        child.stderr.destroy()
      }, LAST_OUTPUT_MS).unref()
    })
    child.once('close', (code, name) =>
      settle(() => (signal.aborted ? reject(signal.reason as Error) : resolve(code ?? 128 + (SIGNAL_NUMBERS[name ?? ''] ?? 0)))),
    )
  })
}

const SIGNAL_NUMBERS: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGABRT: 6,
  SIGKILL: 9,
  SIGSEGV: 11,
  SIGPIPE: 13,
  SIGTERM: 15,
}

/** Nothing happens when the group is gone already. */
export function killGroup(pid: number | undefined, name: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(-pid, name)
  } catch {
    // It has ended meanwhile.
  }
}

/** Lines without their ends; of a line that was overwritten with carriage returns, its last state. */
function eachLine(stream: Readable, onLine: (line: string) => void): void {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  const emit = (line: string) => onLine(line.replace(/\r+$/, '').replace(/^.*\r/s, ''))
  stream.on('data', (chunk: Buffer) => {
    const lines = (rest + decoder.write(chunk)).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) emit(line)
    while (rest.length > LONGEST_LINE) {
      emit(rest.slice(0, LONGEST_LINE))
      rest = rest.slice(LONGEST_LINE)
    }
  })
  stream.once('close', () => {
    if (rest !== '') emit(rest)
    rest = ''
  })
  stream.on('error', () => {})
}
