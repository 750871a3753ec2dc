import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { DuckDbEngine } from '../../platform/src/adapters/duckdb/cluster-engine.ts'
import { type DataprocServer, serveDataproc } from '../../platform/test/dataproc-server.ts'
import { LocalCluster, PLACE } from '../../platform/test/local-cluster.ts'
import { perform, TestContext } from '../test/task-context.ts'
import { createCluster } from './create-cluster.ts'
import { deleteCluster } from './delete-cluster.ts'
import { submitJob } from './submit-job.ts'

const FOREVER = 'SELECT count(*) FROM range(100000000) a, range(100000) b'

describe('the operators of Dataproc', () => {
  let directory: string
  let local: LocalCluster
  let server: DataprocServer

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'operators-'))
    local = new LocalCluster(directory)
    server = await serveDataproc(local)
  })
  after(async () => {
    await server.stop()
    await local.stop()
    await rm(directory, { recursive: true, force: true })
  })

  const context = (options: { tryNumber?: number; idempotencyKey?: string } = {}) =>
    new TestContext({ endpoint: server.endpoint, password: 'operator', project: PLACE.project, ...options })
  const create = (clusterName: string, more: object = {}, task = context()) => {
    const operator = createCluster({ clusterName, idleDeleteTtl: 3600, ...more })
    return perform(operator, task)
  }
  const remove = (clusterName: string, task = context()) => {
    const operator = deleteCluster({ clusterName })
    return perform(operator, task)
  }
  const submit = (clusterName: string, query: string, task = context()) => {
    const operator = submitJob({ job: { placement: { clusterName }, sparkSqlJob: { queryList: { queries: [query] } } } })
    return perform(operator, task)
  }

  it('creates a cluster, runs a job on it and deletes it; deleting it again is success', async () => {
    const { clusterUuid } = await create('whole')
    const cluster = await local.clusters.find(PLACE, 'whole')
    assert.equal(cluster.uuid, clusterUuid)
    assert.deepEqual(cluster.config.lifecycleConfig, { idleDeleteTtl: '3600s' })
    const task = context()
    const { jobId } = await submit('whole', 'SELECT 1', task)
    assert.equal((await local.jobs.find(PLACE, jobId)).status.state, 'DONE')
    assert.match(task.text, /Job .*: DONE/)
    await remove('whole')
    const again = context()
    await remove('whole', again)
    assert.match(again.text, /does not exist: nothing to delete/)
  })

  it('uses a cluster that runs already, unless told not to', async () => {
    const first = await create('shared')
    assert.deepEqual(await create('shared'), first)
    await assert.rejects(create('shared', { useIfExists: false }), /Cluster "shared" exists already/)
  })

  it('replaces a cluster in ERROR', async () => {
    const first = await create('broken')
    const failed = local.until('cluster.changed', (facts) => facts.clusterName === 'broken' && facts.state === 'ERROR')
    const { processId = 0 } = (await local.clusters.engineOf(await local.clusters.find(PLACE, 'broken'))) as DuckDbEngine
    process.kill(processId, 'SIGKILL')
    await failed
    const task = context()
    const second = await create('broken', {}, task)
    assert.notEqual(second.clusterUuid, first.clusterUuid)
    assert.match(task.text, /was in ERROR \(The engine of cluster "broken" ended unexpectedly/)
  })

  it("fails with the job's own words", async () => {
    await assert.rejects(
      submit('shared', "SELECT assert_true(1 = 2, 'There are no events.')"),
      /ended as ERROR: Line 1: There are no events\./,
    )
    await assert.rejects(submit('nowhere', 'SELECT 1'), /Cluster "nowhere" does not exist/)
  })

  it('cancels the job when the task is cancelled', async () => {
    const task = context()
    const submitted = submit('shared', FOREVER, task)
    await task.logged(/: RUNNING/)
    task.controller.abort(new Error('cancelled by a person'))
    await assert.rejects(submitted, /cancelled by a person/)
    const [job] = await local.jobs.list(PLACE)
    assert.ok(job)
    assert.equal((await local.finished(job)).status.state, 'CANCELLED')
  })

  it('joins on a second try the job that the first one left running, and submits anew when that one failed', async () => {
    const key = crypto.randomUUID()
    const first = await submit('shared', 'SELECT 1', context({ idempotencyKey: key }))
    assert.deepEqual(await submit('shared', 'SELECT 1', context({ idempotencyKey: key, tryNumber: 2 })), first)
    await remove('shared')
    await create('shared')
    assert.notDeepEqual(
      await submit('shared', 'SELECT 1', context({ idempotencyKey: key, tryNumber: 3 })),
      first,
      'a new cluster means new work',
    )
    const failing = crypto.randomUUID()
    await assert.rejects(submit('shared', 'SELECT * FROM missing', context({ idempotencyKey: failing })), /missing/)
    await submit('shared', 'SELECT 1', context({ idempotencyKey: failing, tryNumber: 2 }))
  })
})
