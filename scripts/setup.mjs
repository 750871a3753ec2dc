/**
 * Installs what is missing, in plain JavaScript, so that any Node from 20 on can run it: the packages of the lock file (the pinned
 * Node 24 is one of them) and the built web interface. Does nothing, quickly, when nothing has changed.
 */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
/** The pinned Node: everything but this set-up runs on it. */
export const node = join(root, 'node_modules/node/bin/node')

/** Progress goes to the error stream: the output belongs to the command that follows. */
const say = (line) => process.stderr.write(`${line}\n`)

export async function setUp() {
  const [major] = process.versions.node.split('.').map(Number)
  if (major < 20)
    throw new Error(`Node ${process.versions.node} is too old to set Daggerboard up: it needs Node 20 or newer. See https://nodejs.org`)
  await installPackages()
  await buildWeb()
}

async function installPackages() {
  const stamp = join(root, 'node_modules/.daggerboard-installed')
  const state = hashOf([join(root, 'package-lock.json'), join(root, 'package.json')])
  if (existsSync(node) && existsSync(stamp) && readFileSync(stamp, 'utf8') === state) return
  await step('Installing packages', 'npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'])
  if (!existsSync(node))
    throw new Error(
      'npm did not install the pinned Node. If your npm refuses install scripts, allow the one of the package "node" (see allowScripts in package.json).',
    )
  writeFileSync(stamp, state)
}

async function buildWeb() {
  const web = join(root, 'packages/web')
  const stamp = join(web, 'dist/.sources')
  const state = hashOf([...files(join(web, 'src')), join(web, 'index.html'), join(web, 'package.json'), join(root, 'package-lock.json')])
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === state) return
  await step('Building the web interface', node, [join(root, 'node_modules/vite/bin/vite.js'), 'build', web, '--logLevel', 'error'])
  writeFileSync(stamp, state)
}

/** Runs one command with its start, its end and, while it lasts, its seconds. What it prints is shown only when it fails. */
async function step(title, file, args) {
  const began = Date.now()
  const seconds = () => `${((Date.now() - began) / 1000).toFixed(0)} s`
  const live = process.stderr.isTTY
  if (!live) say(`${title} …`)
  const ticker = live && setInterval(() => process.stderr.write(`\r${title} … ${seconds()} `), 500)
  const output = []
  const code = await new Promise((done, failed) => {
    // npm is a script on Windows, and scripts need a shell there; the arguments are our own constants.
    const child = spawn(file, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], shell: process.platform === 'win32' })
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => output.push(chunk))
    child.on('error', failed).on('close', done)
  })
  if (ticker) clearInterval(ticker)
  if (code !== 0) throw new Error(`${title} failed (exit ${code}):\n${Buffer.concat(output)}\nMend what it says and run the command again.`)
  say(`${live ? '\r' : ''}${title}: done in ${seconds()}`)
}

const files = (folder) =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? files(join(folder, entry.name)) : [join(folder, entry.name)],
  )

function hashOf(paths) {
  const hash = createHash('sha256')
  for (const path of paths.sort()) if (existsSync(path)) hash.update(path.slice(root.length)).update(readFileSync(path))
  return hash.digest('hex')
}
