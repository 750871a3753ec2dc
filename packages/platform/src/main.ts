/** `daggerboard`: gives the commands the streams, the environment and the machine of this process. */
import { commands } from './cli/commands.ts'
import { runProgram } from './cli/program.ts'
import { localHost } from './composition/local-host.ts'

const interrupted = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => {
    // Who asks a second time does not want to wait.
    if (interrupted.signal.aborted) process.exit(130)
    interrupted.abort()
  })
// `daggerboard … | head`: who reads no further has what he wanted.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))

const { stdin, stdout, stderr, env } = process
const { signal } = interrupted
process.exitCode = await runProgram(commands, process.argv.slice(2), { stdin, stdout, stderr, env, signal, host: localHost(signal) })
await new Promise((resolve) => stdout.write('', resolve))
// Nothing may keep a stopped platform alive: what it owned has ended, and what is left are idle connections.
process.exit()
