/** A platform of its own for one measurement: a real process, a real SQLite file, DAG files written for it, and Airflow's API to drive it. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { PlatformClient } from '../../packages/platform/src/cli/client.ts'
import { RunningPlatform } from '../../test/end-to-end/running-platform.ts'

/** Each look costs the platform a millisecond; times are taken from what it has written down. */
const POLL_MS = 250
const SETTLE_MS = 500

export interface MeasuredRun {
  readonly dagId: string
  readonly runId: string
  readonly state: string
  /** Milliseconds since 1970. */
  readonly queuedAt: number
  readonly startedAt: number
  readonly endedAt: number
}

export interface MeasuredTask {
  readonly taskId: string
  readonly state: string
  readonly startedAt: number
  readonly endedAt: number
}

interface Options {
  /** File name → source. */
  readonly files: Readonly<Record<string, string>>
  readonly environment?: Readonly<Record<string, string>>
  /** Called with the empty home before the platform starts. */
  readonly prepare?: (home: string) => Promise<void>
}

export class MeasuredPlatform {
  readonly client: PlatformClient
  readonly #platform: RunningPlatform
  readonly #folder: string

  private constructor(platform: RunningPlatform, client: PlatformClient, folder: string) {
    this.#platform = platform
    this.client = client
    this.#folder = folder
  }

  /** Resolves when all DAGs of `files` are known. They are paused. */
  static async start({ files, environment = {}, prepare }: Options): Promise<MeasuredPlatform> {
    const folder = await mkdtemp(join(tmpdir(), 'daggerboard-bench-'))
    const home = join(folder, 'home')
    const dags = join(folder, 'dags')
    await mkdir(home)
    await mkdir(dags)
    for (const [name, source] of Object.entries(files)) await writeFile(join(dags, name), source)
    await prepare?.(home)
    const platform = await RunningPlatform.start(['start'], {
      home,
      environment: { DAGGERBOARD_DAGS_FOLDER: dags, DAGGERBOARD_LOAD_EXAMPLES: 'false', ...environment },
    })
    const client = await platform.client(await platform.endpoint())
    const started = new MeasuredPlatform(platform, client, folder)
    await started.#until(async () => (await client.get<{ total_entries: number }>('/api/v2/dags?limit=1')).total_entries >= countOf(files))
    return started
  }

  get pid(): number {
    return this.#platform.pid
  }

  async unpause(dagIdPattern: string): Promise<void> {
    await this.client.patch(`/api/v2/dags?dag_id_pattern=${encodeURIComponent(dagIdPattern)}&limit=1000`, { is_paused: false })
  }

  async pause(dagIdPattern: string): Promise<void> {
    await this.client.patch(`/api/v2/dags?dag_id_pattern=${encodeURIComponent(dagIdPattern)}&limit=1000`, { is_paused: true })
  }

  /** Answers the id of the run. */
  async trigger(dagId: string): Promise<string> {
    const { dag_run_id } = await this.client.post<{ dag_run_id: string }>(`/api/v2/dags/${dagId}/dagRuns`, { logical_date: null })
    return dag_run_id
  }

  /** Throws when the run ends otherwise than successfully. */
  async finished(dagId: string, runId: string): Promise<MeasuredRun> {
    let found: Record<string, string> = {}
    await this.#until(async () => {
      found = await this.client.get(`/api/v2/dags/${dagId}/dagRuns/${encodeURIComponent(runId)}`)
      return found.end_date !== null && found.end_date !== undefined
    })
    if (found.state !== 'success') throw new Error(`Run "${runId}" of DAG "${dagId}" ended as ${found.state}.\n${this.#platform.output}`)
    const at = (text: string | undefined) => Date.parse(text ?? '')
    return { dagId, runId, state: found.state, queuedAt: at(found.queued_at), startedAt: at(found.start_date), endedAt: at(found.end_date) }
  }

  async tasks(dagId: string, runId: string): Promise<MeasuredTask[]> {
    const tasks: MeasuredTask[] = []
    for (;;) {
      const path = `/api/v2/dags/${dagId}/dagRuns/${encodeURIComponent(runId)}/taskInstances?limit=100&offset=${tasks.length}`
      const page = await this.client.get<{ task_instances: Record<string, string>[]; total_entries: number }>(path)
      for (const { task_id = '', state = '', start_date = '', end_date = '' } of page.task_instances)
        tasks.push({ taskId: task_id, state, startedAt: Date.parse(start_date), endedAt: Date.parse(end_date) })
      if (tasks.length >= page.total_entries || page.task_instances.length === 0) return tasks
    }
  }

  /** Lets the echo of the last measurement fade. */
  settle(): Promise<void> {
    return wait(SETTLE_MS)
  }

  async remove(): Promise<void> {
    await this.#platform.stop()
    await rm(this.#folder, { recursive: true, force: true })
  }

  async #until(isSo: () => Promise<boolean>): Promise<void> {
    while (!(await isSo())) await wait(POLL_MS)
  }
}

const countOf = (files: Readonly<Record<string, string>>): number =>
  Object.values(files).reduce((sum, source) => sum + source.split('dag(').length - 1, 0)
