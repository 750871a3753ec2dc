/** What an idle platform takes: starts one in an empty home, waits until it has settled, and adds up the memory of its processes. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'

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
    const processes = familyOf(child)
    const before = cpuTicks(processes)
    await wait(10_000)
    return {
      startSeconds,
      settleSeconds: Number(settleSeconds),
      processes: processes.length,
      // Proportional: memory that several processes share is counted once.
      megabytes: processes.reduce((sum, pid) => sum + proportionalKilobytes(pid), 0) / 1024,
      cpuPercent: (((cpuTicks(processes) - before) / 100) * 100) / 10,
    }
  } finally {
    child.kill('SIGINT')
    await once(child, 'exit')
    if (!home) await rm(folder, { recursive: true, force: true })
  }
}

/** The process and all that descend from it. */
function familyOf(child: ChildProcess): number[] {
  const parents = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const fields = statOf(Number(name))
      return fields ? [[Number(name), Number(fields[1])] as const] : []
    })
  const family = [child.pid as number]
  for (const pid of family) for (const [each, parent] of parents) if (parent === pid) family.push(each)
  return family
}

/** The fields of /proc/PID/stat behind the name: state, parent, … */
function statOf(pid: number): string[] | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')
  } catch {
    return null // It has ended meanwhile.
  }
}

const cpuTicks = (pids: readonly number[]): number =>
  pids.reduce((sum, pid) => {
    const fields = statOf(pid)
    return sum + (fields ? Number(fields[11]) + Number(fields[12]) : 0)
  }, 0)

const proportionalKilobytes = (pid: number): number =>
  Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0)
