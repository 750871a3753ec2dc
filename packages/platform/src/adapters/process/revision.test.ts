import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { systemClock } from '../../core/clock.ts'
import { DEFAULT_PROBE } from '../../services/readiness.ts'
import type { Revision } from '../../services/revision.ts'
import { ProcessRevisions } from './revision.ts'

let home: string
let driver: ProcessRevisions

before(async () => {
  home = await mkdtemp(join(tmpdir(), 'revisions-'))
  driver = new ProcessRevisions({ home, endpoint: 'http://127.0.0.1:1', tokens: { issue: async () => '' }, clock: systemClock })
})

after(() => rm(home, { recursive: true, force: true }))

/** A revision whose image an earlier start has fetched. */
async function fetched(name: string, script: string): Promise<Revision> {
  await mkdir(join(home, name, 'root'), { recursive: true })
  await writeFile(join(home, name, 'image.json'), JSON.stringify({ config: { Cmd: ['node', '-e', script] } }))
  const template = {
    image: '',
    command: [],
    args: [],
    env: {},
    port: 8080,
    labels: {},
    annotations: {},
    timeoutSeconds: 1,
    probe: DEFAULT_PROBE,
  }
  return { name, service: 's', template } as unknown as Revision
}

const start = async (name: string, script: string) =>
  driver.start({ revision: await fetched(name, script), environment: {} }, AbortSignal.timeout(10_000))

test('what a killed platform left running is ended when the next one starts', async () => {
  const running = await start('left-00001-abc', 'setInterval(() => {}, 1000)')
  while (!(await readFile(join(home, 'left-00001-abc.pid'), 'utf8').catch(() => ''))) await new Promise(setImmediate)
  await new ProcessRevisions({ home, endpoint: '', tokens: { issue: async () => '' }, clock: systemClock }).sweep()
  assert.equal(await running.exited, 'ended by SIGKILL')
})

test('a process that ignores SIGTERM is killed after its grace, with the processes that it has started', async () => {
  const witness = createServer().listen(0, '127.0.0.1')
  await once(witness, 'listening')
  const { port } = witness.address() as AddressInfo
  const child = `require('net').connect(${port}, '127.0.0.1')`
  const script = `process.on('SIGTERM', () => {}); require('child_process').spawn('node', ['-e', ${JSON.stringify(child)}]); setInterval(() => {}, 1000)`
  const connected = once(witness, 'connection')
  const running = await start('stubborn-00001-abc', script)
  const [socket] = await connected
  const isGone = once(socket, 'close')
  socket.on('error', () => {})
  await running.stop(50)
  assert.equal(await running.exited, 'ended by SIGKILL')
  await isGone
  witness.close()
})

test('the files of a stopped revision can go while its log stays, and what was left half done goes at the next start', async () => {
  const running = await start('old-00001-abc', 'console.log("hello")')
  await running.exited
  await driver.unload('old-00001-abc')
  await driver.unload('old-00001-abc')
  for (const name of ['half-00001-abc.tmp', 'half-00002-abc.unloaded']) await mkdir(join(home, name, 'root'), { recursive: true })
  await driver.sweep()
  const left = (await readdir(home)).filter((name) => /^(old|half)/.test(name))
  assert.deepEqual(left, ['old-00001-abc.log'])
  assert.match(await readFile(driver.logFile('old-00001-abc'), 'utf8'), /hello/)
})
