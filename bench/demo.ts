/** What a newcomer waits for: clones what is committed into an empty folder, with an empty npm cache, and runs the demo twice. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { text } from 'node:stream/consumers'

const ROOT = resolve(import.meta.dirname, '..')

/** Prints the seconds of the whole command, set-up included, and of the refresh in it. The machine must reach the npm registry. */
export async function run(): Promise<object> {
  const place = await mkdtemp(join(tmpdir(), 'daggerboard-newcomer-'))
  try {
    const clone = join(place, 'clone')
    await command('git', ['clone', '-q', ROOT, clone], place, {})
    const own = { npm_config_cache: join(place, 'npm'), DAGGERBOARD_HOME: join(place, 'home'), DAGGERBOARD_PORT: '0' }
    const demo = async () => {
      const began = performance.now()
      const said = await command('npm', ['run', '--silent', 'demo', '--', '--exit', '--json'], clone, own)
      const { ok, seconds } = JSON.parse(said.trimEnd().split('\n').at(-1) ?? '') as { ok: boolean; seconds: number }
      return { ok, wholeSeconds: (performance.now() - began) / 1000, seconds }
    }
    const [first, later] = [await demo(), await demo()]
    return {
      ok: first.ok && later.ok,
      firstSeconds: first.wholeSeconds,
      firstRefreshSeconds: first.seconds,
      laterSeconds: later.wholeSeconds,
      laterRefreshSeconds: later.seconds,
    }
  } finally {
    await rm(place, { recursive: true, force: true })
  }
}

/** What a program prints; its error stream is passed on. Throws when it fails. */
async function command(file: string, args: readonly string[], cwd: string, environment: Record<string, string>): Promise<string> {
  const child = spawn(file, args, { cwd, env: { ...process.env, ...environment }, stdio: ['ignore', 'pipe', 'inherit'] })
  const [said, [code]] = await Promise.all([text(child.stdout), once(child, 'close')])
  if (code !== 0) throw new Error(`${file} ${args.join(' ')} ended with status ${code}.`)
  return said
}
