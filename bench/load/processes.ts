/** What a process and its children take, from /proc. Linux only. */
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'

const TICKS_PER_SECOND = 100

/** Per cent of one core that a process and all that descend from it take over `seconds`. */
export async function cpuPercentOf(root: number, seconds: number): Promise<number> {
  const processes = familyOf(root)
  const before = cpuTicks(processes)
  await wait(seconds * 1000)
  return ((cpuTicks(processes) - before) / TICKS_PER_SECOND / seconds) * 100
}

/** The process and all that descend from it. */
export function familyOf(root: number): number[] {
  const parents = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const fields = statOf(Number(name))
      return fields ? [[Number(name), Number(fields[1])] as const] : []
    })
  const family = [root]
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

/** The resident set of a process, and of it and all that descend from it together; what they share is counted once for each. */
export const residentMegabytes = (root: number): { own: number; all: number } => ({
  own: residentOf(root),
  all: familyOf(root).reduce((sum, pid) => sum + residentOf(pid), 0),
})

function residentOf(pid: number): number {
  try {
    return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024
  } catch {
    return 0 // It has ended meanwhile.
  }
}
