/** `node scripts/run.mjs FILE …`: sets up what is missing, then runs FILE on the pinned Node with the arguments that follow. */
import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { node, root, setUp } from './setup.mjs'

const [file, ...args] = process.argv.slice(2)
try {
  await setUp()
} catch (error) {
  process.stderr.write(`${error.message}\n`)
  process.exit(1)
}
const path = `${join(root, 'node_modules/.bin')}:${dirname(node)}:${process.env.PATH}`
const child = spawn(node, ['--disable-warning=ExperimentalWarning', join(root, file), ...args], {
  stdio: 'inherit',
  env: { ...process.env, PATH: path },
})
// A terminal sends Ctrl-C to the child as well; a plain `kill` reaches only this process, so it is passed on.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 1)))
