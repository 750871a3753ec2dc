import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { LocalCluster, PLACE } from '../../../test/local-cluster.ts'
import { systemClock } from '../../core/clock.ts'
import { type DuckDbEngine, DuckDbEngineLauncher } from './cluster-engine.ts'

describe('the directory of a cluster', { timeout: 60_000 }, async () => {
  const home = await mkdtemp(join(tmpdir(), 'engines-'))
  after(() => rm(home, { recursive: true, force: true }))

  it('is deleted when its engine crashes', async () => {
    const directory = join(home, 'crash')
    const local = new LocalCluster(directory)
    after(() => local.stop())
    await local.create('fragile')
    const cluster = await local.clusters.find(PLACE, 'fragile')
    const { processId } = (await local.clusters.engineOf(cluster)) as DuckDbEngine
    const failed = local.until('cluster.changed', ({ state }) => state === 'ERROR')
    process.kill(processId as number, 'SIGKILL')
    await failed
    assert.deepEqual(await readdir(join(directory, 'clusters')), [])
  })

  it('is deleted when its engine does not start', async () => {
    const launcher = new DuckDbEngineLauncher({ directory: join(home, 'start'), clock: systemClock, threads: -1 })
    await assert.rejects(launcher.launch('never', () => {}))
    assert.deepEqual(await readdir(join(home, 'start')), [])
  })

  it('is deleted at the next start when the platform was killed', async () => {
    const directory = join(home, 'killed')
    await mkdir(join(directory, 'old-abc', 'session-1'), { recursive: true })
    const launcher = new DuckDbEngineLauncher({ directory, clock: systemClock })
    const engines = await Promise.all(['one', 'two'].map((name) => launcher.launch(name, () => {})))
    assert.deepEqual((await readdir(directory)).map((name) => name.slice(0, 3)).sort(), ['one', 'two'])
    for (const engine of engines) await engine.stop()
    assert.deepEqual(await readdir(directory), [])
  })
})
