/** Builds an image as the process driver can: RUN on the host's toolchain, layers of the files that the steps bring, no files of the base. */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { delimiter, join, posix } from 'node:path'
import { AppError } from '../../../core/app-error.ts'
import { type Descriptor, IMAGE_MANIFEST } from '../../../images/manifest.ts'
import { type BuildStep, expand, readDockerfile } from './dockerfile.ts'
import { changedFiles, contentSum, copiedFiles, listFiles, snapshot, withFolders } from './files.ts'
import { dockerIgnore } from './glob.ts'
import { type LayerEntry, packLayer, unpackLayer } from './layer.ts'
import type { CachedLayer, LayerCache } from './layer-cache.ts'
import type { ImageLayout } from './layout.ts'

export interface ImageBuildOptions {
  /** The folder that is built. */
  readonly context: string
  /** The Dockerfile's path, and its name for messages. */
  readonly file: string
  readonly buildArguments: ReadonlyMap<string, string>
  readonly labels: ReadonlyMap<string, string>
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly cache: LayerCache
  readonly useCache: boolean
  readonly layout: ImageLayout
  /** Where the image's files are put together; emptied at the end. */
  readonly scratch: string
  readonly signal: AbortSignal
  say(line: string): void
}

export async function buildImage(options: ImageBuildOptions): Promise<Descriptor> {
  const build = new ImageBuild(options)
  try {
    return await build.run()
  } finally {
    await build.end()
  }
}

const BASE_LABEL = 'dev.daggerboard.base'
const DRIVER_LABEL = 'dev.daggerboard.driver'
const LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip'
const CONFIG = 'application/vnd.oci.image.config.v1+json'
const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

class ImageBuild {
  #options: ImageBuildOptions
  #context: LayerEntry[] = []
  #base = ''
  #layers: CachedLayer[] = []
  /** What made the layers so far: the beginning of the next one's key. */
  #chain = ''
  /** How many layers are unpacked in the root; a step that only copies needs none of them. */
  #unpacked = 0
  #root: string | null = null
  #folders = new Set<string>()
  #arguments = new Map<string, string>()
  #env = new Map<string, string>()
  #labels = new Map<string, string>()
  #ports = new Set<string>()
  #workdir = '/'
  #user: string | null = null
  #cmd: readonly string[] | null = null
  #entrypoint: readonly string[] | null = null

  constructor(options: ImageBuildOptions) {
    this.#options = options
  }

  async run(): Promise<Descriptor> {
    const { context, file, buildArguments, labels, say } = this.#options
    const { base, steps } = readDockerfile(readFileSync(join(context, file), 'utf8'), file, buildArguments)
    const ignoreFile = [`${file}.dockerignore`, '.dockerignore'].map((name) => join(context, name)).find((path) => existsSync(path))
    const ignores = dockerIgnore(ignoreFile ? readFileSync(ignoreFile, 'utf8') : '')
    const hasExceptions = ignoreFile !== undefined && /^!/m.test(readFileSync(ignoreFile, 'utf8'))
    this.#context = listFiles(context, (path, isDirectory) => ignores(path) && !(isDirectory && hasExceptions))
    this.#base = base
    this.#chain = base
    say(`Step 1/${steps.length + 1} : FROM ${base}`)
    say(` ---> The process driver builds on the host's toolchain in the place of ${base}, whose own files are not in the image.`)
    for (const [i, step] of steps.entries()) {
      this.#options.signal.throwIfAborted()
      say(`Step ${i + 2}/${steps.length + 1} : ${step.text}`)
      await this.#take(step)
    }
    for (const [name, value] of labels) this.#labels.set(name, value)
    return this.#finish()
  }

  async end(): Promise<void> {
    if (this.#root) await rm(this.#root, { recursive: true, force: true })
  }

  async #take(step: BuildStep): Promise<void> {
    const { file, buildArguments } = this.#options
    const filled = (text: string) =>
      expand(text, new Map([...this.#arguments, ...this.#env, ['PATH', this.#env.get('PATH') ?? DEFAULT_PATH]]))
    switch (step.kind) {
      case 'arg':
        for (const [name, fallback] of step.variables) {
          const value = buildArguments.get(name) ?? (fallback === null ? undefined : filled(fallback))
          if (value !== undefined) this.#arguments.set(name, value)
        }
        return
      case 'env': {
        const values = step.variables.map(([name, value]) => [name, filled(value)] as const)
        for (const [name, value] of values) this.#env.set(name, value)
        return
      }
      case 'label':
        for (const [name, value] of step.variables) this.#labels.set(name, filled(value))
        return
      case 'user':
        this.#user = filled(step.value)
        return
      case 'expose':
        for (const port of step.ports.map(filled)) this.#ports.add(port.includes('/') ? port : `${port}/tcp`)
        return
      case 'cmd':
        this.#cmd = step.argv
        return
      case 'entrypoint':
        this.#entrypoint = step.argv
        return
      case 'workdir':
        return this.#changeDirectory(filled(step.value))
      case 'copy':
        return this.#copy({ ...step, sources: step.sources.map(filled), target: filled(step.target) }, `${file}:${step.line}`)
      case 'run':
        return this.#execute(step.argv, `${file}:${step.line}`)
    }
  }

  async #changeDirectory(path: string): Promise<void> {
    this.#workdir = posix.resolve(this.#workdir, path)
    const inside = this.#workdir.slice(1)
    if (inside === '' || this.#folders.has(inside)) return
    const entries = withFolders([{ path: inside, type: 'directory', mode: 0o755, size: 0 }])
    await this.#layer(`WORKDIR ${this.#workdir}`, async () => entries)
  }

  async #copy({ sources, target, mode }: Extract<BuildStep, { kind: 'copy' }>, place: string): Promise<void> {
    const absolute = posix.resolve(this.#workdir, target)
    const isFolder = /(?:^|\/)\.{0,2}$/.test(target) || absolute === '/' || this.#folders.has(absolute.slice(1))
    const entries = copiedFiles(this.#context, { sources, target: absolute, isFolder, mode }, place)
    await this.#layer(`COPY ${await contentSum(entries)}`, async () => entries)
  }

  async #execute(argv: readonly string[], place: string): Promise<void> {
    const variables = [...this.#arguments, ...this.#env]
    await this.#layer(`RUN ${JSON.stringify([argv, this.#workdir, variables])}`, async () => {
      const root = await this.#unpack()
      const before = snapshot(root)
      await this.#runOnHost(argv, root, Object.fromEntries(variables), place)
      return changedFiles(root, before)
    })
    // A layer that was made here is in the root already.
  }

  /** Adds the layer that `make` gives, or the one that the cache has for what makes it. */
  async #layer(step: string, make: () => Promise<LayerEntry[]>): Promise<void> {
    const { cache, useCache, signal, say } = this.#options
    const key = createHash('sha256')
      .update(JSON.stringify([this.#chain, step]))
      .digest('hex')
    const known = useCache ? await cache.find(key) : null
    if (known) say(' ---> Using cache')
    const isRun = step.startsWith('RUN ')
    const layer =
      known ??
      (await cache.keep(key, async (path) => {
        const entries = await make()
        const folders = entries.filter(({ type }) => type === 'directory').map(({ path: folder }) => folder)
        return { ...(await packLayer(entries, path, signal)), folders }
      }))
    this.#layers.push(layer)
    if (!known && isRun) this.#unpacked = this.#layers.length
    for (const folder of layer.folders) this.#folders.add(folder)
    this.#chain = key
    say(` ---> ${layer.digest.slice(7, 19)}`)
  }

  /** The root with all layers so far in it. */
  async #unpack(): Promise<string> {
    const { scratch, cache, signal } = this.#options
    if (!this.#root) {
      await mkdir(scratch, { recursive: true })
      this.#root = await mkdtemp(join(scratch, 'image-'))
    }
    for (const layer of this.#layers.slice(this.#unpacked)) await unpackLayer(cache.pathOf(layer.digest), this.#root, signal)
    this.#unpacked = this.#layers.length
    return this.#root
  }

  #runOnHost(argv: readonly string[], root: string, variables: Record<string, string>, place: string): Promise<void> {
    const { environment, signal } = this.#options
    const [file = '', ...args] = argv
    const path = [variables.PATH, environment.PATH].filter(Boolean).join(delimiter)
    const cwd = join(root, this.#workdir)
    return new Promise((resolve, reject) => {
      // The output goes where the tool's goes: into the log of the build. The step's own group is ended with the step.
      const child = spawn(file, args, { cwd, env: { ...environment, ...variables, PATH: path }, stdio: ['ignore', 'inherit', 'inherit'] })
      const abort = () => child.kill('SIGTERM')
      signal.addEventListener('abort', abort, { once: true })
      child.once('error', (cause) =>
        reject(new AppError('invalid', `${place}: "${file}" cannot be run on this host: ${cause.message}.`, { cause })),
      )
      child.once('exit', (code, killedBy) => {
        signal.removeEventListener('abort', abort)
        if (code === 0) return resolve()
        const how = killedBy ? `was ended by ${killedBy}` : `returned the exit status ${code}`
        reject(new AppError('invalid', `${place}: the command ${JSON.stringify(argv.at(-1))} ${how}. Its output above says why.`))
      })
    })
  }

  async #finish(): Promise<Descriptor> {
    const { layout, cache } = this.#options
    this.#labels.set(BASE_LABEL, this.#base)
    this.#labels.set(DRIVER_LABEL, 'process')
    for (const { digest } of this.#layers) await layout.addFile(digest, cache.pathOf(digest))
    const settings = {
      // No time of its own: the same steps over the same files give the same image.
      created: new Date(0).toISOString(),
      architecture: process.arch === 'x64' ? 'amd64' : process.arch,
      os: 'linux',
      config: {
        Env: [...this.#env].map(([name, value]) => `${name}=${value}`),
        ...(this.#cmd && { Cmd: this.#cmd }),
        ...(this.#entrypoint && { Entrypoint: this.#entrypoint }),
        WorkingDir: this.#workdir,
        ...(this.#user && { User: this.#user }),
        ExposedPorts: Object.fromEntries([...this.#ports].map((port) => [port, {}])),
        Labels: Object.fromEntries(this.#labels),
      },
      rootfs: { type: 'layers', diff_ids: this.#layers.map(({ diffId }) => diffId) },
    }
    const config = await layout.addBlob(Buffer.from(JSON.stringify(settings)), CONFIG)
    const layers = this.#layers.map(({ digest, size }) => ({ mediaType: LAYER, digest, size }))
    const annotations = { [BASE_LABEL]: this.#base, [DRIVER_LABEL]: 'process' }
    const manifest = { schemaVersion: 2, mediaType: IMAGE_MANIFEST, config, layers, annotations }
    return layout.addBlob(Buffer.from(JSON.stringify(manifest)), IMAGE_MANIFEST)
  }
}
