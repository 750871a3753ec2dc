/** The directory of one build on this machine: workspace, home, tools; and the environment in which its steps run. */

import { readFileSync } from 'node:fs'
import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { delimiter, dirname, isAbsolute, join } from 'node:path'
import { execPath } from 'node:process'
import { fileURLToPath } from 'node:url'
import { OWN_TOOLS } from './toolchain.ts'

export interface WorkspaceOptions {
  /** The build's own directory. */
  readonly directory: string
  /** Shared by all builds: what npm has fetched. */
  readonly cacheDirectory: string
  readonly endpoint: string
  readonly projectId: string
  readonly region: string
}

/** What of the server's own environment a step may see: where programs are, how text and time look, how the network is reached. */
const PASSED_ON =
  /^(LANG|LC_\w+|TZ|TERM|TMPDIR|(https?|no|all)_proxy|NODE_EXTRA_CA_CERTS|SSL_CERT_(FILE|DIR)|npm_config_(registry|cafile|ca|strict_ssl|proxy|https_proxy|noproxy|fetch_\w+))$/i
/** Settings of the user's npm that builds need as well; credentials are not among them. */
const NPM_SETTINGS = /^(@[\w.-]+:registry|registry|cafile|strict-ssl|proxy|https-proxy|noproxy|fetch-[\w-]+)\s*=/

const TOOLS_ENTRY = fileURLToPath(new URL('./tools/main.ts', import.meta.url))

export class Workspace {
  readonly directory: string
  readonly #options: WorkspaceOptions

  constructor(options: WorkspaceOptions) {
    this.directory = options.directory
    this.#options = options
  }

  get files(): string {
    return join(this.directory, 'workspace')
  }

  get home(): string {
    return join(this.directory, 'home')
  }

  get bin(): string {
    return join(this.directory, 'bin')
  }

  outputs(step: number): string {
    return join(this.directory, 'outputs', String(step))
  }

  /** Programs: the driver's own tools, then the Node that runs the platform, then the machine's. */
  get path(): string {
    // The folders that npm adds for a package's own scripts are no part of the machine.
    const machine = (process.env.PATH ?? '').split(delimiter).filter((folder) => !/node_modules|node-gyp-bin/.test(folder))
    return [this.bin, dirname(execPath), ...machine].join(delimiter)
  }

  async create(token: string): Promise<void> {
    for (const folder of [this.files, this.home, this.bin]) await mkdir(folder, { recursive: true, mode: 0o700 })
    await Promise.all([
      ...OWN_TOOLS.map((tool) =>
        writeFile(join(this.bin, tool), `#!/bin/sh\nexec ${quote(execPath)} ${quote(TOOLS_ENTRY)} ${tool} "$@"\n`, { mode: 0o755 }),
      ),
      writeFile(join(this.home, '.npmrc'), this.#npmSettings(token), { mode: 0o600 }),
      writeFile(join(this.home, '.gitconfig'), this.#gitSettings(token), { mode: 0o600 }),
    ])
  }

  /** Everything but the log. */
  async remove(): Promise<void> {
    for (const folder of ['workspace', 'home', 'bin', 'outputs', 'scripts'])
      await rm(join(this.directory, folder), { recursive: true, force: true })
  }

  environment(buildId: string, token: string): Record<string, string> {
    const { endpoint, projectId, region, cacheDirectory } = this.#options
    const passedOn = Object.entries(process.env).filter(
      (entry): entry is [string, string] => PASSED_ON.test(entry[0]) && entry[1] !== undefined,
    )
    return {
      ...Object.fromEntries(passedOn),
      PATH: this.path,
      HOME: this.home,
      DAGGERBOARD_ENDPOINT: endpoint,
      DAGGERBOARD_TOKEN: token,
      DAGGERBOARD_BUILD_ID: buildId,
      GOOGLE_CLOUD_PROJECT: projectId,
      CLOUDSDK_CORE_PROJECT: projectId,
      CLOUDSDK_RUN_REGION: region,
      STORAGE_EMULATOR_HOST: endpoint,
      MLFLOW_TRACKING_URI: endpoint,
      MLFLOW_TRACKING_TOKEN: token,
      NPM_CONFIG_USERCONFIG: join(this.home, '.npmrc'),
      npm_config_cache: join(cacheDirectory, 'npm'),
      DAGGERBOARD_CACHE: cacheDirectory,
      npm_config_update_notifier: 'false',
      CI: 'true',
    }
  }

  /** `/workspace` and `/builder/home` in a text, as the paths that they are on this machine. */
  localize(text: string): string {
    return text.replace(/(?<![\w./~-])\/(workspace|builder\/home)(?=$|[^\w.-])/g, (_, folder: string) =>
      folder === 'workspace' ? this.files : this.home,
    )
  }

  /** Where a step with this `dir` runs. */
  stepDirectory(...folders: (string | undefined)[]): string {
    return folders.reduce<string>((current, folder = '') => {
      const local = this.localize(folder)
      return isAbsolute(local) ? local : join(current, local)
    }, this.files)
  }

  #npmSettings(token: string): string {
    const registry = `${this.#options.endpoint}/npm/`
    const own = [
      `@daggerboard:registry=${registry}`,
      `${registry.replace(/^https?:/, '')}:_authToken=${token}`,
      'fund=false',
      'audit=false',
    ]
    let users: string[] = []
    try {
      const file = process.env.NPM_CONFIG_USERCONFIG ?? process.env.npm_config_userconfig ?? join(homedir(), '.npmrc')
      users = readFileSync(file, 'utf8')
        .split('\n')
        .filter((line) => NPM_SETTINGS.test(line.trim()))
    } catch {
      // Most people have none.
    }
    return `${[...users, ...own].join('\n')}\n`
  }

  #gitSettings(token: string): string {
    const { endpoint, projectId } = this.#options
    return [
      `[http "${endpoint}/"]`,
      `\textraHeader = Authorization: Bearer ${token}`,
      `[url "${endpoint}/p/${projectId}/"]`,
      `\tinsteadOf = https://source.developers.google.com/p/${projectId}/`,
      '[init]',
      '\tdefaultBranch = master',
      '[advice]',
      '\tdetachedHead = false',
      '[safe]',
      '\tdirectory = *',
      '',
    ].join('\n')
  }
}

/** The directories under `root` of builds that are not in `except`, the ones that were touched last first, beyond the first `keep`. */
export async function surplusDirectories(root: string, keep: number, except: ReadonlySet<string>): Promise<string[]> {
  const names = (await readdir(root)).filter((name) => !except.has(name))
  const dated = await Promise.all(
    names.map(async (name) => ({
      path: join(root, name),
      at: (await stat(join(root, name, 'workspace')).catch(() => null))?.mtimeMs ?? null,
    })),
  )
  return dated
    .filter((entry): entry is { path: string; at: number } => entry.at !== null)
    .sort((a, b) => b.at - a.at)
    .slice(keep)
    .map(({ path }) => path)
}

const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`
