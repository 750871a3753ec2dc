/** `daggerboard`: gives the commands the machine they run on. What a command does not need is not loaded. */
import { commands } from './cli/commands.ts'
import { runProgram } from './cli/program.ts'
import { VERSION } from './version.ts'

const interrupted = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => {
    // Who asks a second time does not want to wait.
    if (interrupted.signal.aborted) process.exit(130)
    interrupted.abort()
  })
// `daggerboard … | head`: who reads no further has what he wanted.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))

const { signal } = interrupted
process.exitCode = await runProgram(commands, process.argv.slice(2), {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  signal,
  host: {
    version: VERSION,
    localAccess: async (home) => (await import('./composition/local-access.ts')).localAccess(home),
    start: async (settings) => (await import('./composition/run-platform.ts')).runPlatform(settings, signal),
    demo: async (settings, options) => (await import('./composition/run-platform.ts')).runDemoPlatform(settings, options, signal),
    secrets: async (settings) => (await import('./composition/local-secrets.ts')).readSecrets(settings),
    parseConnection: async (id, text) => (await import('./composition/local-secrets.ts')).connectionFields(id, text),
  },
})
await new Promise((resolve) => process.stdout.write('', resolve))
// Nothing may keep a stopped platform alive: what it owned has ended, and what is left are idle connections.
process.exit()
