/**
 * Ends the process groups of a platform that is no longer there. A worker that computes does not hear that its platform was killed: a small shell
 * holds the other end of a pipe, and when that is closed it ends what it was told of.
 */
import { type ChildProcess, spawn } from 'node:child_process'

const SCRIPT = `
groups=
while read -r what group; do
  others=
  for each in $groups; do [ "$each" = "$group" ] || others="$others $each"; done
  groups=$others
  [ "$what" = watch ] && groups="$groups $group"
done
for each in $groups; do kill -s KILL -- "-$each" 2>/dev/null; done
`

export class OrphanGuard {
  #shell: ChildProcess | null = null

  /** From now on the group that this process leads ends with the platform. */
  watch(pid: number | undefined): void {
    this.#tell('watch', pid)
  }

  /** It has ended: its number may become another one's. */
  forget(pid: number | undefined): void {
    if (this.#shell) this.#tell('forget', pid)
  }

  /** What is still watched ends. */
  stop(): void {
    this.#shell?.stdin?.end()
    this.#shell = null
  }

  #tell(what: string, pid: number | undefined): void {
    if (pid === undefined) return
    this.#shell ??= this.#start()
    this.#shell.stdin?.write(`${what} ${pid}\n`)
  }

  #start(): ChildProcess {
    const shell = spawn('/bin/sh', ['-c', SCRIPT], { stdio: ['pipe', 'ignore', 'ignore'], detached: true, env: {} })
    // Without a shell the workers are only ended when they listen.
    shell.on('error', () => {}).unref()
    shell.stdin?.on('error', () => {})
    ;(shell.stdin as { unref?(): void } | null)?.unref?.()
    return shell
  }
}
