/** Runs the TypeScript compiler as a process of its own: sources in, JavaScript and declarations out. */
import { spawn } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { AppError } from '../../core/app-error.ts'

const TIME_LIMIT_MS = 120_000
const require = createRequire(import.meta.url)

export const TYPESCRIPT_VERSION: string = (require('typescript/package.json') as { version: string }).version

/**
 * Compiles `files`, which lie under `rootDir`, into `outDir`. Types are not checked: that is done where the sources are worked on.
 * `configFolder` gets the compiler's configuration. Throws `unavailable` with the compiler's words when it fails.
 */
export async function compile(options: {
  readonly files: readonly string[]
  readonly rootDir: string
  readonly outDir: string
  readonly configFolder: string
  readonly signal: AbortSignal
}): Promise<void> {
  const { files, rootDir, outDir, configFolder, signal } = options
  const config = join(configFolder, 'tsconfig.json')
  const compilerOptions = {
    target: 'es2024',
    module: 'nodenext',
    lib: ['esnext'],
    types: ['node'],
    typeRoots: [dirname(dirname(require.resolve('@types/node/package.json')))],
    strict: true,
    verbatimModuleSyntax: true,
    allowImportingTsExtensions: true,
    rewriteRelativeImportExtensions: true,
    declaration: true,
    noCheck: true,
    skipLibCheck: true,
    rootDir,
    outDir,
  }
  await writeFile(config, JSON.stringify({ compilerOptions, files }))
  await run(config, AbortSignal.any([signal, AbortSignal.timeout(TIME_LIMIT_MS)]))
}

function run(config: string, signal: AbortSignal): Promise<void> {
  const tsc = join(dirname(require.resolve('typescript/package.json')), 'bin', 'tsc')
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [tsc, '-p', config], { stdio: ['ignore', 'pipe', 'pipe'], detached: true })
    let said = ''
    const keep = (chunk: Buffer) => {
      said = (said + chunk.toString('utf8')).slice(-4000)
    }
    child.stdout.on('data', keep)
    child.stderr.on('data', keep)
    const kill = () => {
      try {
        if (child.pid) process.kill(-child.pid, 'SIGKILL')
      } catch {
        // It has ended by itself in the meantime.
      }
    }
    if (signal.aborted) kill()
    else signal.addEventListener('abort', kill, { once: true })
    const fail = (reason: string, cause?: unknown) => {
      const message = `The libraries cannot be built, because ${reason}. Check the sources with "npx tsc -p .".\n${said}`
      reject(new AppError('unavailable', message.trimEnd(), { cause }))
    }
    child.on('error', (cause) => fail('the TypeScript compiler does not start', cause))
    child.on('close', (status) => {
      signal.removeEventListener('abort', kill)
      if (status === 0) resolve()
      else fail(signal.aborted ? 'the TypeScript compiler was stopped' : `the TypeScript compiler ended with ${status}`)
    })
  })
}
