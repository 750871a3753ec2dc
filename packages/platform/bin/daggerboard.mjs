#!/usr/bin/env node
/** `daggerboard …`: runs the command in this process where its Node is new enough, else on the pinned one. */
import { spawn } from 'node:child_process'
import { createRequire, enableCompileCache } from 'node:module'
import { constants, homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const main = new URL('../src/main.ts', import.meta.url)
const [major] = process.versions.node.split('.').map(Number)

if (major >= 24) {
  // A third of the time to start. In a folder of the user's own: what lies there is run.
  enableCompileCache(join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'daggerboard', 'compiled'))
  // As --disable-warning=ExperimentalWarning does: node:sqlite is what warns.
  process.removeAllListeners('warning')
  process.on('warning', (warning) => warning.name !== 'ExperimentalWarning' && process.stderr.write(`${warning.stack}\n`))
  await import(main.href)
} else {
  const node = join(dirname(createRequire(import.meta.url).resolve('node/package.json')), 'bin/node')
  const child = spawn(node, ['--disable-warning=ExperimentalWarning', fileURLToPath(main), ...process.argv.slice(2)], { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 1)))
}
