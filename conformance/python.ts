/** Gives conformance tests a Python with the real clients in it, made once and kept under `.daggerboard/conformance`. */

import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { setTimeout as rest } from 'node:timers/promises'

const FOLDER = resolve(import.meta.dirname, '../.daggerboard/conformance')
const MINUTES = 60_000
const MAKE_LIMIT_MS = 10 * MINUTES
const POLL_MS = 500

/**
 * The path of a Python interpreter in a virtual environment that has `packages` (pip requirements such as `lightgbm` or `mlflow==3.4.0`).
 * The first call makes it with the machine's `python3` and pip; later ones, of other processes too, find it there. Its folder is named
 * after the packages: `['lightgbm']` lives in `.daggerboard/conformance/lightgbm`. Throws with pip's last words when it cannot be made.
 */
export async function pythonWith(packages: string[]): Promise<string> {
  const wanted = [...packages].sort()
  const home = join(FOLDER, wanted.map((name) => name.replace(/[^\w.-]+/g, '-')).join('+'))
  return madeOnce(home, wanted.join('\n'), async (python) => {
    await command('python3', ['-m', 'venv', home], 'Install Python 3 with its venv module (Debian: python3-venv).')
    await install(python, wanted)
  })
}

/**
 * The path of a Python whose packages are exactly those of `requirements`, a file that pins each of them; nothing that they ask for is added.
 * `versions` says which Pythons will do (`>=3.10,<3.13`): uv finds one on the machine, or fetches it. Throws with uv's last words when it cannot.
 */
export async function pythonWithPinned(requirements: string, versions: string): Promise<string> {
  const home = join(FOLDER, basename(requirements, '.txt'))
  const pins = await readFile(requirements, 'utf8')
  const uv = await pythonWith(['uv'])
  return madeOnce(home, `${versions}\n${pins}`, async (python) => {
    const advice = `Check that uv can reach its package index, and install a Python ${versions}.`
    await command(uv, ['-m', 'uv', 'venv', '--quiet', '--python', versions, home], advice)
    await command(uv, ['-m', 'uv', 'pip', 'install', '--quiet', '--no-deps', '--python', python, '--requirement', requirements], advice)
  })
}

/** The Python in `home`, which `make` makes; `stamp` says what is in it. */
async function madeOnce(home: string, stamp: string, make: (python: string) => Promise<void>): Promise<string> {
  const python = join(home, 'bin', 'python')
  const marker = join(home, '.complete')
  const isMade = async () => existsSync(python) && (await readFile(marker, 'utf8').catch(() => '')) === stamp
  await mkdir(FOLDER, { recursive: true })
  while (!(await isMade())) {
    const release = await lock(`${home}.lock`)
    if (release === undefined) {
      await rest(POLL_MS)
      continue
    }
    try {
      if (await isMade()) break
      await rm(home, { recursive: true, force: true })
      await make(python)
      await writeFile(marker, stamp)
    } finally {
      await release()
    }
  }
  return python
}

/** With uv, which resolves and installs in a tenth of the time; with pip, which reads settings of the machine that uv does not, where uv cannot. */
async function install(python: string, wanted: readonly string[]): Promise<void> {
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check']
  try {
    await command(python, [...pip, 'uv'], '')
    await command(python, ['-m', 'uv', 'pip', 'install', '--quiet', '--python', python, ...wanted], '')
  } catch {
    await command(python, [...pip, ...wanted], 'Check that pip can reach its package index.')
  }
}

/** What a Python script of ours answers as JSON on its last line; `input` is given to it as JSON. Throws with what it wrote to stderr. */
export async function askPython<Answer>(python: string, script: string, input: unknown): Promise<Answer> {
  const written = await command(python, [script], 'See its own words above.', JSON.stringify(input))
  return JSON.parse(written.trimEnd().split('\n').at(-1) ?? 'null') as Answer
}

/** Holds `path` so that only one process makes an environment; undefined when another has it. A lock older than the limit is a dead one's. */
async function lock(path: string): Promise<(() => Promise<void>) | undefined> {
  const release = () => rm(path, { recursive: true, force: true })
  try {
    await mkdir(path)
    return release
  } catch {
    const held = await stat(path).catch(() => undefined)
    if (held !== undefined && Date.now() - held.mtimeMs > MAKE_LIMIT_MS) await release()
    return undefined
  }
}

function command(file: string, args: string[], advice: string, input = ''): Promise<string> {
  return new Promise((done, fail) => {
    const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'], timeout: MAKE_LIMIT_MS })
    let output = ''
    let complaint = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaint = (complaint + text).slice(-4000)
    })
    const refuse = (reason: string) => fail(new Error(`${complaint}\nCannot run ${file} ${args.join(' ')}: ${reason}. ${advice}`))
    child.on('error', (error) => refuse(error.message))
    child.on('close', (code, signal) =>
      code === 0 ? done(output) : refuse(signal === null ? `it ended with ${code}` : `it was stopped by ${signal}`),
    )
    // A child that ends without reading its input breaks the pipe; its exit code says more.
    child.stdin.on('error', () => {})
    child.stdin.end(input)
  })
}
