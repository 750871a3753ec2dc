/** Runs revisions as processes on the host toolchain: the image's files in a folder, its command with PORT on loopback. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { createConnection, createServer } from 'node:net'
import { delimiter, dirname, join, resolve } from 'node:path'
import { AppError } from '../../core/app-error.ts'
import type { Clock } from '../../core/clock.ts'
import { type Principal, principal } from '../../core/principal.ts'
import { IMAGE_INDEX, readManifest } from '../../images/manifest.ts'
import type { Probe } from '../../services/readiness.ts'
import type { Launch, Revision, RevisionDriver, RunningRevision } from '../../services/revision.ts'
import { unpackLayer } from './image/layer.ts'
import { nameOf, ownReference } from './image/reference.ts'
import { RegistryClient } from './image/registry-client.ts'
import { RevisionLog } from './revision-log.ts'
import { Endpoint } from './tools/endpoint.ts'

export interface ProcessRevisionsOptions {
  /** Where revisions live: `HOME/NAME/root`, `HOME/NAME.log`, and what is older of the log in `HOME/NAME.log.1`. */
  readonly home: string
  /** The platform's address: images are pulled from its registry. */
  readonly endpoint: string
  readonly tokens: { issue(who: Principal, seconds: number): Promise<string> }
  readonly clock: Clock
  /** How large a log may grow before it is begun anew. */
  readonly logBytes?: number
}

/** What an image's configuration says about how to run it. */
interface ImageConfig {
  readonly config?: { Env?: string[]; Cmd?: string[]; Entrypoint?: string[]; WorkingDir?: string }
}

const HOST = '127.0.0.1'
/** Ends of the names of folders that no start may find: those that are being filled, and those that are being emptied. */
const [PARTIAL, UNLOADED] = ['.tmp', '.unloaded']
const PULL_TOKEN_SECONDS = 600
/** What a process needs of its host. Nothing else is handed on: the platform's own environment may hold secrets. */
const INHERITED = ['LANG', 'LC_ALL', 'TZ', 'TMPDIR', 'NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE', 'LD_LIBRARY_PATH']

export class ProcessRevisions implements RevisionDriver {
  #options: ProcessRevisionsOptions

  constructor(options: ProcessRevisionsOptions) {
    this.#options = options
  }

  async sweep(): Promise<void> {
    const { home } = this.#options
    for (const name of await readdir(home).catch(() => [])) {
      if (name.endsWith(PARTIAL) || name.endsWith(UNLOADED)) await rm(join(home, name), { recursive: true, force: true })
      if (!name.endsWith('.pid')) continue
      const [pid, startedAt] = (await readFile(join(home, name), 'utf8')).split(' ')
      // The start time tells a survivor from a stranger who got its number.
      if (pid && startedAt && startTime(Number(pid)) === startedAt) signalGroup(Number(pid), 'SIGKILL')
      await rm(join(home, name), { force: true })
    }
  }

  async resolveImage(image: string): Promise<string> {
    const reference = ownReference(image)
    const registry = await this.#registry()
    return `${nameOf(reference)}@${await registry.resolve(reference.repository, reference.digest ?? reference.tag)}`
  }

  async start({ revision, environment }: Launch, signal: AbortSignal): Promise<RunningRevision> {
    const folder = join(this.#options.home, revision.name)
    const image = await this.#fetchImage(revision, folder, signal)
    const root = join(folder, 'root')
    const { Env = [], Cmd = [], Entrypoint = [], WorkingDir = '/' } = image.config ?? {}
    const imageEnvironment = Object.fromEntries(Env.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]))
    const { command, args } = revision.template
    // As Kubernetes has it: a command replaces the entry point and drops the image's arguments.
    const argv = [...(command.length > 0 ? command : Entrypoint), ...(args.length > 0 || command.length > 0 ? args : Cmd)]
    if (argv.length === 0)
      throw new AppError('invalid', 'its image has neither CMD nor ENTRYPOINT. Add a CMD to the Dockerfile, or give a command')
    const port = await freePort()
    const env = {
      ...Object.fromEntries(INHERITED.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]]))),
      HOME: folder,
      ...imageEnvironment,
      ...environment,
      // The image's own programs come first, then those of the host that stand in for its base.
      PATH: [imageEnvironment.PATH, dirname(process.execPath), process.env.PATH].filter(Boolean).join(delimiter),
      PORT: String(port),
    }
    const [file = '', ...rest] = argv
    const program = file.startsWith('/') && existsSync(join(root, file)) ? join(root, file) : file
    const cwd = join(root, resolve('/', WorkingDir))
    await mkdir(cwd, { recursive: true })
    return this.#spawn(revision.name, port, program, rest, { cwd, env })
  }

  logFile(revision: string): string {
    return join(this.#options.home, `${revision}.log`)
  }

  async unload(revision: string): Promise<void> {
    const folder = join(this.#options.home, revision)
    if (!existsSync(folder)) return
    // It goes at once, so that no start finds half of it.
    await rename(folder, `${folder}${UNLOADED}`)
    await rm(`${folder}${UNLOADED}`, { recursive: true, force: true })
  }

  async remove(revision: string): Promise<void> {
    await this.unload(revision)
    await this.#log(revision).remove()
    await rm(join(this.#options.home, `${revision}.pid`), { force: true })
  }

  #log(revision: string): RevisionLog {
    return new RevisionLog(this.logFile(revision), this.#options.logBytes)
  }

  async #registry(): Promise<RegistryClient> {
    const { endpoint, tokens } = this.#options
    const token = await tokens.issue(principal('system', ['images.read']), PULL_TOKEN_SECONDS)
    return new RegistryClient(new Endpoint(endpoint, token))
  }

  /** Pulls the image by its digest and unpacks it, unless an earlier start has done so. Answers its configuration. */
  async #fetchImage({ template }: Revision, folder: string, signal: AbortSignal): Promise<ImageConfig> {
    const settings = join(folder, 'image.json')
    if (existsSync(settings)) return JSON.parse(await readFile(settings, 'utf8'))
    const { repository, digest } = ownReference(template.image)
    const registry = await this.#registry()
    const manifest = await registry.manifest(repository, digest ?? '', signal)
    if (manifest.mediaType === IMAGE_INDEX)
      throw new AppError('invalid', 'its image is an index of several platforms. Deploy the image of one platform by its digest')
    const [config, ...layers] = readManifest(manifest.bytes, manifest.mediaType).blobs
    if (!config) throw new AppError('invalid', 'its image has no configuration')
    const temporary = `${folder}${PARTIAL}`
    await rm(temporary, { recursive: true, force: true })
    await mkdir(join(temporary, 'root'), { recursive: true })
    for (const layer of layers) {
      const path = join(temporary, 'layer')
      await registry.download(repository, layer, path, signal)
      await unpackLayer(path, join(temporary, 'root'), signal)
      await rm(path)
    }
    await registry.download(repository, config, join(temporary, 'image.json'), signal)
    const image = JSON.parse(await readFile(join(temporary, 'image.json'), 'utf8'))
    await rm(folder, { recursive: true, force: true })
    // The folder appears whole or not at all.
    await rename(temporary, folder)
    return image
  }

  #spawn(name: string, port: number, file: string, args: string[], { cwd, env }: { cwd: string; env: NodeJS.ProcessEnv }): RunningRevision {
    const { clock } = this.#options
    const log = this.#log(name)
    const child = log.open(`--- ${clock.now().toISOString()} ${[file, ...args].join(' ')} (PORT=${port})`, (output) =>
      spawn(file, args, { cwd, env, detached: true, stdio: ['ignore', output, output] }),
    )
    const pidFile = join(this.#options.home, `${name}.pid`)
    if (child.pid) void writeFile(pidFile, `${child.pid} ${startTime(child.pid) ?? ''}`).catch(() => {})
    const hasExited = new AbortController()
    const exited = new Promise<string>((resolve) => {
      child.once('error', (error) => resolve(`its command cannot be run: ${error.message}`))
      child.once('exit', (code, signal) => resolve(signal ? `ended by ${signal}` : `exit status ${code}`))
    }).then(async (how) => {
      if (child.pid) signalGroup(child.pid, 'SIGKILL')
      await rm(pidFile, { force: true })
      hasExited.abort()
      return how
    })
    void log.watch(clock, hasExited.signal)
    return {
      host: HOST,
      port,
      exited,
      probe: (probe, signal) => probeOnce(port, probe, signal),
      stop: (graceMs) => stop(child, exited, graceMs, clock),
    }
  }
}

async function stop(child: ChildProcess, exited: Promise<string>, graceMs: number, clock: Clock): Promise<void> {
  if (!child.pid || child.exitCode !== null || child.signalCode !== null) return
  signalGroup(child.pid, 'SIGTERM')
  const done = new AbortController()
  void exited.then(() => done.abort())
  await clock.sleep(graceMs, done.signal)
  if (!done.signal.aborted) signalGroup(child.pid, 'SIGKILL')
  await exited
}

async function probeOnce(port: number, { path }: Probe, signal: AbortSignal): Promise<boolean> {
  if (path === null) return accepts(port)
  try {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(4000)])
    const response = await fetch(`http://${HOST}:${port}${path.startsWith('/') ? path : `/${path}`}`, { signal: limit, redirect: 'manual' })
    await response.body?.cancel()
    return response.status < 400
  } catch {
    return false
  }
}

const accepts = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = createConnection({ host: HOST, port })
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })

/** A port that nobody has. Somebody might take it before the process does; the process then ends and is started with another. */
const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, HOST, () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal)
  } catch {
    // The group has ended already.
  }
}

/** When a process started, in ticks since the boot; null where there is no /proc. */
function startTime(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null
  } catch {
    return null
  }
}
