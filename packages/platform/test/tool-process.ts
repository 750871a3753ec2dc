/** Runs one of the tools of a build's PATH (gcloud, docker, …) as a step does: as a process with a step's environment. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { RunningServices } from './running-services.ts'

const MAIN = fileURLToPath(new URL('../src/adapters/process/tools/main.ts', import.meta.url))

export interface ToolResult {
  readonly stdout: string
  readonly stderr: string
  readonly status: number
}

/** `directory`: where it runs; `variables`: what the step's environment has besides. */
export async function runToolProcess(
  { home, endpoint, token }: RunningServices,
  argv: readonly string[],
  { directory = process.cwd(), variables = {} }: { directory?: string; variables?: Readonly<Record<string, string>> } = {},
): Promise<ToolResult> {
  const env = {
    PATH: process.env.PATH,
    HOME: join(home, 'build-home'),
    DAGGERBOARD_CACHE: join(home, 'cache'),
    DAGGERBOARD_ENDPOINT: endpoint,
    DAGGERBOARD_TOKEN: token,
    GOOGLE_CLOUD_PROJECT: 'shop',
    ...variables,
  }
  try {
    return { ...(await promisify(execFile)(process.execPath, [MAIN, ...argv], { cwd: directory, env })), status: 0 }
  } catch (error) {
    const { stdout, stderr, code } = error as { stdout: string; stderr: string; code: number }
    return { stdout, stderr, status: code }
  }
}
