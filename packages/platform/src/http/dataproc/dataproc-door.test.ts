import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { ClusterControllerClient, JobControllerClient, type protos } from '@google-cloud/dataproc'
import { OAuth2Client } from 'google-auth-library'
import { type DataprocServer, serveDataproc } from '../../../test/dataproc-server.ts'
import { LocalCluster, PLACE } from '../../../test/local-cluster.ts'
import type { DuckDbEngine } from '../../adapters/duckdb/cluster-engine.ts'
import { ManualClock } from '../../core/clock.ts'

const where = { projectId: PLACE.project, region: PLACE.region }
describe("the door of Dataproc, driven by Google's own client", () => {
  const clock = new ManualClock('2026-01-05T05:00:00Z')
  let directory: string
  let local: LocalCluster
  let server: DataprocServer
  let clusters: ClusterControllerClient
  let jobs: JobControllerClient

  const options = (token: string, port: number) => {
    const authClient = new OAuth2Client()
    authClient.setCredentials({ access_token: token })
    return { fallback: true, apiEndpoint: '127.0.0.1', port, protocol: 'http', authClient: authClient as never }
  }

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'dataproc-'))
    local = new LocalCluster(directory, { clock, rowsPerPart: 2 })
    server = await serveDataproc(local)
    const { port } = server
    clusters = new ClusterControllerClient(options('operator', port))
    jobs = new JobControllerClient(options('operator', port))
  })
  after(async () => {
    await clusters.close()
    await jobs.close()
    await server.stop()
    await local.stop()
    await rm(directory, { recursive: true, force: true })
  })

  async function create(clusterName: string, config: protos.google.cloud.dataproc.v1.IClusterConfig = {}, requestId?: string) {
    const [operation] = await clusters.createCluster({ ...where, requestId, cluster: { projectId: where.projectId, clusterName, config } })
    const [cluster] = await operation.promise()
    return cluster
  }

  async function run(clusterName: string, queries: string[], scriptVariables: Record<string, string> = {}) {
    const [submitted] = await jobs.submitJob({
      ...where,
      job: { placement: { clusterName }, sparkSqlJob: { queryList: { queries }, scriptVariables } },
    })
    const jobId = submitted.reference?.jobId ?? ''
    await local.finished(await local.jobs.find(PLACE, jobId))
    const [job] = await jobs.getJob({ ...where, jobId })
    return job
  }

  /** Over REST Google's client gives the HTTP status where it gives a gRPC code otherwise. */
  const code = async (promise: Promise<unknown>) => promise.then(() => null).catch((error: { code: number }) => error.code)

  it('creates a cluster, waits for it, lists it and deletes it', async () => {
    const cluster = await create('first', {
      gceClusterConfig: { zoneUri: 'us-central1-a' },
      lifecycleConfig: { idleDeleteTtl: { seconds: 3600 } },
    })
    assert.equal(cluster.clusterName, 'first')
    assert.equal((await clusters.getCluster({ ...where, clusterName: 'first' }))[0].status?.state, 'RUNNING')
    assert.equal(String(cluster.config?.lifecycleConfig?.idleDeleteTtl?.seconds), '3600')
    const [found] = await clusters.listClusters(where)
    assert.deepEqual(
      found.map((c) => c.clusterName),
      ['first'],
    )
    const [deletion] = await clusters.deleteCluster({ ...where, clusterName: 'first' })
    await deletion.promise()
    assert.equal(await code(clusters.getCluster({ ...where, clusterName: 'first' })), 404)
  })

  it('refuses a second cluster of a name, but answers the same request with the same operation', async () => {
    const cluster = { projectId: where.projectId, clusterName: 'twice', config: {} }
    const [first] = await clusters.createCluster({ ...where, requestId: 'once', cluster })
    const [again] = await clusters.createCluster({ ...where, requestId: 'once', cluster })
    assert.equal(again.name, first.name)
    await first.promise()
    assert.equal(await code(clusters.createCluster({ ...where, cluster })), 409)
  })

  it('says everything that is wrong with a cluster', async () => {
    const bad = { projectId: where.projectId, clusterName: 'Bad_Name', config: { lifecycleConfig: { idleDeleteTtl: { seconds: 5 } } } }
    await assert.rejects(clusters.createCluster({ ...where, cluster: bad }), (error: Error) => {
      assert.match(error.message, /The name .+Bad_Name.+ is not allowed/)
      assert.match(error.message, /idleDeleteTtl is .+5s.+; it must be from 5 minutes/)
      return true
    })
  })

  it('runs statements in order and keeps what they say', async () => {
    await create('sql')
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of Spark SQL.
    const job = await run('sql', ["CACHE TABLE t AS SELECT 1 AS a; SELECT a, '${word}' AS word FROM t"], { word: "it's; DROP TABLE t --" })
    assert.equal(job.status?.state, 'DONE', job.status?.details ?? '')
    assert.equal(job.done, true)
    const output = await fetch(`${server.endpoint}/v1/projects/daggerboard/regions/us-central1/jobs/${job.reference?.jobId}/output`, {
      headers: { Authorization: 'Bearer operator' },
    })
    assert.match(await output.text(), /a\tword\n1\tit's; DROP TABLE t --/)
    const kept = await readFile(join(directory, 'buckets', `${job.driverOutputResourceUri}.000000000`.slice('gs://'.length)), 'utf8')
    assert.match(kept, /1\tit's; DROP TABLE t --/)
  })

  it('replaces a folder as a whole: parts, then the manifest, then the leftovers go', async () => {
    const folder = 'gs://daggerboard-data/out/rows.csv/'
    const write = (rows: string) =>
      run('sql', [
        `INSERT OVERWRITE DIRECTORY '${folder}' USING csv OPTIONS (header 'true') SELECT * FROM VALUES ${rows} AS t (n, name) ORDER BY n`,
      ])
    assert.equal((await write("(3, 'c'), (1, 'a'), (2, NULL), (4, 'd,e'), (5, 'f')")).status?.state, 'DONE')
    assert.equal((await local.objects.list(folder)).length, 4)
    const job = await write("(1, 'x'), (2, 'y'), (3, 'z')")
    const manifest = JSON.parse(await readFile(join(directory, 'buckets/daggerboard-data/out/rows.csv/_manifest.json'), 'utf8'))
    assert.deepEqual([manifest.rows, manifest.columns, manifest.parts.map((p: { rows: number }) => p.rows)], [3, ['n', 'name'], [2, 1]])
    assert.deepEqual(
      (await local.objects.list(folder)).map((uri) => uri.slice(folder.length)).sort(),
      ['_manifest.json', ...manifest.parts.map((p: { name: string }) => p.name)].sort(),
    )
    assert.equal((await local.jobs.find(PLACE, job.reference?.jobId ?? '')).outputRows, 3)
    const read = await run('sql', [
      `CREATE OR REPLACE TEMPORARY VIEW v (n INT, name STRING) USING csv OPTIONS (path '${folder}', header 'true'); SELECT assert_true(sum(n) = 6, 'sum') FROM v`,
    ])
    assert.equal(read.status?.state, 'DONE', read.status?.details ?? '')
  })

  it('lets two clusters that replace the same folder take turns', async () => {
    const folder = 'gs://daggerboard-data/out/contested.csv/'
    await create('rival')
    const write = `INSERT OVERWRITE DIRECTORY '${folder}' USING csv SELECT * FROM range(9)`
    const ended = await Promise.all(['sql', 'rival', 'sql', 'rival'].map((name) => run(name, [write])))
    assert.deepEqual([...new Set(ended.map((job) => job.status?.state))], ['DONE'])
    const manifest = JSON.parse(await readFile(join(directory, 'buckets/daggerboard-data/out/contested.csv/_manifest.json'), 'utf8'))
    const named = ['_manifest.json', ...manifest.parts.map((part: { name: string }) => part.name)].map((name) => folder + name)
    assert.deepEqual((await local.objects.list(folder)).sort(), named.sort())
  })

  it('answers the same request id with the same job', async () => {
    const request = {
      ...where,
      requestId: 'job-once',
      job: { placement: { clusterName: 'sql' }, sparkSqlJob: { queryList: { queries: ['SELECT 1'] } } },
    }
    const [first] = await jobs.submitJob(request)
    const [again] = await jobs.submitJob(request)
    assert.equal(again.reference?.jobId, first.reference?.jobId)
  })

  it('refuses other kinds of jobs and says who can run them', async () => {
    const job = { placement: { clusterName: 'sql' }, pysparkJob: { mainPythonFileUri: 'gs://b/main.py' } }
    await assert.rejects(jobs.submitJob({ ...where, job }), /job\.pysparkJob needs a cluster with that software.*Dataproc itself/s)
  })

  it('fails a script before it starts when a statement is not supported, naming each line', async () => {
    const job = await run('sql', ["SELECT 1;\nDROP TABLE t;\n\nSET TIME ZONE 'Europe/Paris'"])
    assert.equal(job.status?.state, 'ERROR')
    assert.match(job.status?.details ?? '', /Line 2: "DROP TABLE t" is not supported/)
    assert.match(job.status?.details ?? '', /Line 4: the time zone "Europe\/Paris" is not supported/)
  })

  it("keeps a script away from the platform's files", async () => {
    for (const query of ["SELECT * FROM read_csv('/etc/passwd')", "SELECT * FROM '/etc/passwd'", 'SELECT * FROM `/etc/passwd`'])
      assert.equal((await run('sql', [query])).status?.state, 'ERROR', query)
    const outside = await run('sql', ["INSERT OVERWRITE DIRECTORY '/tmp/x' USING csv SELECT 1"])
    assert.match(outside.status?.details ?? '', /not a folder in a bucket/)
  })

  it('stops a job that is cancelled, and runs the next one', async () => {
    const endless = {
      placement: { clusterName: 'sql' },
      sparkSqlJob: { queryList: { queries: ['SELECT count(*) FROM range(100000000) a, range(100000) b'] } },
    }
    const running = local.until('job.changed', (facts) => facts.state === 'RUNNING')
    const [submitted] = await jobs.submitJob({ ...where, job: endless })
    const jobId = submitted.reference?.jobId ?? ''
    await running
    const [asked] = await jobs.cancelJob({ ...where, jobId })
    assert.equal(asked.status?.state, 'CANCEL_PENDING')
    assert.equal((await local.finished(await local.jobs.find(PLACE, jobId))).status.state, 'CANCELLED')
    assert.equal((await run('sql', ['SELECT 1'])).status?.state, 'DONE')
  })

  it('fails the job and the cluster when the engine dies, and nothing else', async () => {
    await create('fragile')
    const died = local.until('cluster.changed', (facts) => facts.clusterName === 'fragile' && facts.state === 'ERROR')
    const cluster = await local.clusters.find(PLACE, 'fragile')
    const { processId = 0 } = (await local.clusters.engineOf(cluster)) as DuckDbEngine
    process.kill(processId, 'SIGKILL')
    await died
    assert.equal((await clusters.getCluster({ ...where, clusterName: 'fragile' }))[0].status?.state, 'ERROR')
    assert.equal(
      await code(
        jobs.submitJob({ ...where, job: { placement: { clusterName: 'fragile' }, sparkSqlJob: { queryList: { queries: ['SELECT 1'] } } } }),
      ),
      400,
    )
    assert.equal((await run('sql', ['SELECT 1'])).status?.state, 'DONE')
  })

  it('deletes a cluster that has been idle for as long as its idleDeleteTtl', async () => {
    await create('idle', { lifecycleConfig: { idleDeleteTtl: { seconds: 600 } } })
    clock.advance(500_000)
    await run('idle', ['SELECT 1'])
    clock.advance(500_000)
    await local.clusters.poll()
    assert.equal((await local.clusters.find(PLACE, 'idle')).status.state, 'RUNNING', 'the job counted as use')
    const deleted = local.until('cluster.changed', (facts) => facts.clusterName === 'idle' && facts.state === 'DELETED')
    clock.advance(100_000)
    await local.clusters.poll()
    await deleted
  })

  it('lets a viewer look and nothing more, and a stranger nothing', async () => {
    const { port } = server
    const viewer = new ClusterControllerClient(options('viewer', port))
    assert.ok((await viewer.listClusters(where))[0].length > 0)
    assert.equal(await code(viewer.deleteCluster({ ...where, clusterName: 'sql' })), 403)
    await viewer.close()
    assert.equal((await fetch(`${server.endpoint}/v1/projects/daggerboard/regions/us-central1/clusters`)).status, 401)
  })
})

describe('clusters after a restart', () => {
  it('stay RUNNING with a new engine; jobs that ran are ERROR and say so', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'dataproc-'))
    const path = join(directory, 'state.db')
    const { Database } = await import('../../adapters/sqlite/database.ts')
    const first = new LocalCluster(directory, { database: new Database(path) })
    await first.create('lasting')
    const done = await first.run('lasting', 'SELECT 1', {})
    await first.stop()
    const database = new Database(path)
    database.run("UPDATE job SET document = json_set(document, '$.status.state', 'RUNNING') WHERE uuid = ?", done.uuid)
    const second = new LocalCluster(directory, { database })
    await second.clusters.start()
    await second.jobs.start()
    const interrupted = await second.jobs.find(PLACE, done.id)
    assert.equal(interrupted.status.state, 'ERROR')
    assert.match(interrupted.status.detail ?? '', /restarted while the job ran/)
    assert.equal((await second.run('lasting', 'SELECT 1', {})).status.state, 'DONE')
    await second.stop()
    await rm(directory, { recursive: true, force: true })
  })

  it('can be deleted although a deletion has failed halfway before', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'dataproc-'))
    const local = new LocalCluster(directory)
    await local.create('stubborn')
    local.database.run("CREATE TRIGGER full BEFORE UPDATE OF document ON cluster BEGIN SELECT RAISE(ABORT, 'disk full'); END")
    await assert.rejects(local.clusters.delete(PLACE, 'stubborn', null, 'user:ann'), /disk full/)
    local.database.run('DROP TRIGGER full')
    const deleted = local.until('cluster.changed', ({ state }) => state === 'DELETED')
    await local.clusters.delete(PLACE, 'stubborn', null, 'user:ann')
    await Promise.race([deleted, new Promise((_, reject) => setTimeout(() => reject(new Error('it is still there')), 5000).unref())])
    await local.stop()
    await rm(directory, { recursive: true, force: true })
  })
})
