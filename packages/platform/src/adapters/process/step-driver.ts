/** Runs the steps of a build as processes of this machine, each build in a directory of its own. */
import { constants, readFileSync } from 'node:fs'
import { mkdir, open, readFile, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Build, BuildSource, RepoSource, Step } from '../../builds/build.ts'
import type { RunContext, StepContext, StepDriver, StepResult } from '../../builds/step-driver.ts'
import { AppError } from '../../core/app-error.ts'
import { killGroup, runChild } from './child.ts'
import { fetchArchive, fetchCommit } from './source.ts'
import { commandOf, imageProblem } from './toolchain.ts'
import { surplusDirectories, Workspace } from './workspace.ts'

export interface ProcessStepDriverOptions {
  /** Holds one folder for each build. */
  readonly directory: string
  /** Shared by all builds. */
  readonly cacheDirectory: string
  /** Where the platform's doors are; asked when a build begins, because the port may be known late. */
  readonly endpoint: () => string
  readonly projectId: string
  readonly region?: string
  /** How many finished builds keep their files for a look. */
  readonly keep?: number
}

const OUTPUT_LIMIT = 50 * 1024

export class ProcessStepDriver implements StepDriver {
  #options: ProcessStepDriverOptions
  #active = new Set<string>()

  constructor(options: ProcessStepDriverOptions) {
    this.#options = options
  }

  problemsOf(build: Build): string[] {
    const problems: string[] = []
    const { path } = this.#workspace(build)
    const cannot = (what: string) =>
      problems.push(`${what} need the container driver or Google Cloud Build: the process driver does not have them.`)
    build.steps.forEach((step, i) => {
      const problem = imageProblem(step.name, path)
      if (problem) problems.push(`build step ${i}: ${problem}`)
      if (step.volumes?.length) cannot(`build step ${i}: volumes`)
      if (step.secretEnv?.length) cannot(`build step ${i}: secretEnv variables`)
      if (!/^\/(workspace|builder\/home)(\/|$)/.test(resolve('/workspace', build.source?.repoSource?.dir ?? '', step.dir ?? '')))
        problems.push(
          `build step ${i}: the directory "${step.dir ?? build.source?.repoSource?.dir}" is not below /workspace. Other places exist only with the container driver.`,
        )
      if (step.script === undefined && !step.entrypoint && commandOf(step, path).file === '')
        problems.push(`build step ${i}: the image "${step.name}" has no entrypoint; give "entrypoint", "args" or "script".`)
    })
    if (build.options?.volumes?.length) cannot('options: volumes')
    if (build.options?.secretEnv?.length) cannot('options: secretEnv variables')
    if (build.availableSecrets || build.secrets?.length) cannot('secrets: Secret Manager and KMS')
    for (const kind of ['mavenArtifacts', 'goModules', 'pythonPackages', 'npmPackages'])
      if (build.artifacts?.[kind]) cannot(`artifacts: ${kind}`)
    return problems
  }

  async prepare(
    build: Build,
    context: StepContext,
  ): Promise<{ resolvedRepoSource?: RepoSource; resolvedStorageSource?: BuildSource['storageSource'] }> {
    this.#active.add(build.id)
    const workspace = this.#workspace(build)
    await workspace.create(context.token)
    const { storageSource, repoSource } = build.source ?? {}
    const endpoint = this.#options.endpoint()
    if (storageSource) return { resolvedStorageSource: await fetchArchive(storageSource, workspace, endpoint, context) }
    if (!repoSource) return {}
    const place = { buildId: build.id, endpoint, project: build.projectId }
    return { resolvedRepoSource: await fetchCommit(repoSource, workspace, place, context) }
  }

  async runStep(build: Build, index: number, env: Readonly<Record<string, string>>, context: RunContext): Promise<StepResult> {
    const workspace = this.#workspace(build)
    const step = build.steps[index] as Step
    const outputs = workspace.outputs(index)
    await mkdir(outputs, { recursive: true })
    context.log(`Image ${step.name}: played by this machine's own programs (process driver)`)
    const { file, args } = await this.#command(workspace, step, index)
    const exitCode = await this.#run(workspace, build, file, args, workspace.stepDirectory(build.source?.repoSource?.dir, step.dir), env, {
      ...context,
      log: context.output,
      outputs,
    })
    return { exitCode, output: await readOutput(join(outputs, 'output')) }
  }

  async pushImage(build: Build, image: string, context: StepContext): Promise<string> {
    const { status, lines } = await this.#tool(build, ['docker', 'push', image], context)
    const digest = lines.map((line) => /sha256:[0-9a-f]{64}/.exec(line)?.[0]).findLast((found) => found !== undefined)
    if (status !== 0 || !digest) throw new AppError('invalid', lines.at(-1) ?? `docker push ended with status ${status}.`)
    return digest
  }

  async uploadArtifacts(build: Build, context: StepContext): Promise<void> {
    const { location = '', paths = [] } = build.artifacts?.objects ?? {}
    const { status, lines } = await this.#tool(
      build,
      ['gsutil', 'cp', ...paths, location.endsWith('/') ? location : `${location}/`],
      context,
    )
    if (status !== 0) throw new AppError('invalid', lines.at(-1) ?? `gsutil cp ended with status ${status}.`)
  }

  async release(build: Build): Promise<void> {
    this.#active.delete(build.id)
    const { directory, keep = 10 } = this.#options
    await rm(join(directory, build.id, 'processes'), { force: true })
    for (const path of await surplusDirectories(directory, keep, this.#active)) await this.#workspaceAt(path).remove()
  }

  /** Kills the process groups that the build had started, if they still are what they were. */
  async recover(build: Build): Promise<void> {
    const file = join(this.#options.directory, build.id, 'processes')
    const pids = (await readFile(file, 'utf8').catch(() => '')).split('\n').filter((line) => line !== '')
    for (const pid of pids) if (belongsTo(Number(pid), build.id)) killGroup(Number(pid), 'SIGKILL')
    await rm(file, { force: true })
  }

  async #command(workspace: Workspace, step: Step, index: number): Promise<{ file: string; args: string[] }> {
    if (step.script === undefined) {
      const { file, args } = commandOf(step, workspace.path)
      return { file: workspace.localize(file), args: args.map((arg) => workspace.localize(arg)) }
    }
    const folder = join(workspace.directory, 'scripts')
    await mkdir(folder, { recursive: true })
    const file = join(folder, `step-${index}`)
    const script = workspace.localize(step.script)
    await writeFile(file, script.startsWith('#!') ? script : `#!/bin/sh\n${script}`, { mode: 0o755 })
    return { file, args: [] }
  }

  async #tool(build: Build, [name = '', ...args]: readonly string[], context: StepContext): Promise<{ status: number; lines: string[] }> {
    const workspace = this.#workspace(build)
    const lines: string[] = []
    const log = (line: string) => {
      lines.push(line)
      context.log(line)
    }
    const status = await this.#run(workspace, build, join(workspace.bin, name), args, workspace.files, {}, { ...context, log })
    return { status, lines }
  }

  async #run(
    workspace: Workspace,
    build: Build,
    file: string,
    args: readonly string[],
    directory: string,
    env: Readonly<Record<string, string>>,
    { token, signal, log, outputs }: StepContext & { outputs?: string },
  ): Promise<number> {
    await mkdir(directory, { recursive: true })
    const local = Object.fromEntries(Object.entries(env).map(([key, value]) => [key, workspace.localize(value)]))
    return runChild({
      file,
      args,
      directory,
      environment: { ...workspace.environment(build.id, token), ...(outputs ? { BUILDER_OUTPUT: outputs } : {}), ...local, PWD: directory },
      signal,
      onLine: log,
      onStart: (pid) => void writeFile(join(workspace.directory, 'processes'), `${pid}\n`, { flag: 'a' }).catch(() => {}),
    })
  }

  #workspace = (build: Build): Workspace => this.#workspaceAt(join(this.#options.directory, build.id))

  #workspaceAt(directory: string): Workspace {
    const { cacheDirectory, endpoint, projectId, region = 'us-central1' } = this.#options
    return new Workspace({ directory, cacheDirectory, endpoint: endpoint(), projectId, region })
  }
}

/** Whether a process is still one of the build's: ids are used again, the environment tells. Only Linux can say. */
function belongsTo(pid: number, buildId: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(`DAGGERBOARD_BUILD_ID=${buildId}`)
  } catch {
    return false
  }
}

async function readOutput(path: string): Promise<string> {
  // A step may have put anything there: a link to a file that is not its own, or a pipe that nobody ever writes to.
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(() => null)
  if (!file) return ''
  try {
    if (!(await file.stat()).isFile()) return ''
    const buffer = Buffer.alloc(OUTPUT_LIMIT)
    const { bytesRead } = await file.read(buffer, 0, OUTPUT_LIMIT, 0)
    return buffer.subarray(0, bytesRead).toString('base64')
  } finally {
    await file.close()
  }
}
