/** What an idle platform takes: starts one in an empty home, waits until it has settled, and adds up the memory of its processes. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { cpuPercentOf, familyOf } from './load/processes.ts'

const MAIN = resolve(import.meta.dirname, '../packages/platform/src/main.ts')
const DEFAULT_SETTLE_SECONDS = 75

/** `npm run bench -- idle [SECONDS] [HOME]`: SECONDS to settle, HOME of a platform that has lived already. Linux only (it reads /proc). */
export async function run([settleSeconds = String(DEFAULT_SETTLE_SECONDS), home]: string[]): Promise<object> {
  const folder = home ?? (await mkdtemp(join(tmpdir(), 'daggerboard-idle-')))
  const env = { ...process.env, DAGGERBOARD_HOME: folder, DAGGERBOARD_PORT: '0', DAGGERBOARD_ADMIN_PASSWORD: 'only-for-this-bench' }
  const began = performance.now()
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', MAIN, 'start'], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    await once(child.stdout as NodeJS.ReadableStream, 'data')
    const startSeconds = (performance.now() - began) / 1000
    await wait(Number(settleSeconds) * 1000)
    const processes = familyOf(child.pid as number)
    const cpuPercent = await cpuPercentOf(child.pid as number, 10)
    return {
      startSeconds,
      settleSeconds: Number(settleSeconds),
      processes: processes.length,
      // Proportional: memory that several processes share is counted once.
      megabytes: processes.reduce((sum, pid) => sum + proportionalKilobytes(pid), 0) / 1024,
      cpuPercent,
    }
  } finally {
    child.kill('SIGINT')
    await once(child, 'exit')
    if (!home) await rm(folder, { recursive: true, force: true })
  }
}

const proportionalKilobytes = (pid: number): number =>
  Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0)
