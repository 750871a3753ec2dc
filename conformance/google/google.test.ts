/** Google's own Node clients against one whole platform: what a refresh does, in small, by each client in its turn. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { CloudBuildClient } from '@google-cloud/cloudbuild'
import { ClusterControllerClient, JobControllerClient } from '@google-cloud/dataproc'
import { ServicesClient } from '@google-cloud/run'
import { Storage } from '@google-cloud/storage'
import { OAuth2Client } from 'google-auth-library'
import { RunningPlatform } from '../../test/end-to-end/running-platform.ts'

const PROJECT = 'daggerboard'
const REGION = 'us-central1'
const PARENT = `projects/${PROJECT}/locations/${REGION}`
const IMAGE = `gcr.io/${PROJECT}/weeks:v1`

/** Makes a small server and its image: what a repository and its Dockerfile do. */
const MAKE_IMAGE = `
cat > server.mjs <<'END'
import { createServer } from 'node:http'
createServer((_, response) => response.end(JSON.stringify({ rows: process.env.ROWS }))).listen(process.env.PORT, '127.0.0.1')
END
printf 'FROM node:24-slim\\nWORKDIR /srv\\nCOPY server.mjs .\\nCMD ["node", "server.mjs"]\\n' > Dockerfile`

let platform: RunningPlatform
let dags: string
let endpoint: string
let token: string
let storage: Storage
let clusters: ClusterControllerClient
let jobs: JobControllerClient
let builds: CloudBuildClient
let services: ServicesClient

before(async () => {
  dags = await mkdtemp(join(tmpdir(), 'daggerboard-dags-'))
  platform = await RunningPlatform.start(['start'], {
    environment: { DAGGERBOARD_DAGS_FOLDER: dags, DAGGERBOARD_LOAD_EXAMPLES: 'false' },
  })
  endpoint = await platform.endpoint()
  token = await platform.token(endpoint)
  const authClient = new OAuth2Client()
  authClient.setCredentials({ access_token: token })
  const { hostname, port } = new URL(endpoint)
  // The clients' types know of no endpoint that speaks REST without TLS.
  const options = { apiEndpoint: hostname, port: Number(port), protocol: 'http', fallback: true, projectId: PROJECT, authClient } as never
  storage = new Storage({ apiEndpoint: endpoint, projectId: PROJECT, authClient, useAuthWithCustomEndpoint: true })
  clusters = new ClusterControllerClient(options)
  jobs = new JobControllerClient(options)
  builds = new CloudBuildClient(options)
  services = new ServicesClient(options)
})

after(async () => {
  for (const client of [clusters, jobs, builds, services]) await client?.close()
  await platform?.remove()
  await rm(dags, { recursive: true, force: true })
})

test('a script from a bucket runs on a cluster, its rows are read from the bucket, and an image that a build has made serves', async () => {
  const [bucket] = await storage.createBucket('weeks-of-shop')
  const script = `INSERT OVERWRITE DIRECTORY '\${output}' USING csv OPTIONS (header 'true') SELECT n, n * n AS square FROM range(1, 4) AS t (n)`
  // In one request: for a resumable upload the client sends no credentials to an endpoint that is not Google's.
  await bucket.file('scripts/squares.sql').save(script, { resumable: false })

  const clusterName = 'weekly-20191007'
  const [creation] = await clusters.createCluster({
    projectId: PROJECT,
    region: REGION,
    cluster: { projectId: PROJECT, clusterName, config: { lifecycleConfig: { idleDeleteTtl: { seconds: 600 } } } },
  })
  const [cluster] = await creation.promise()
  assert.equal(cluster.clusterName, clusterName)
  const [submitted] = await jobs.submitJob({
    projectId: PROJECT,
    region: REGION,
    job: {
      placement: { clusterName },
      sparkSqlJob: { queryFileUri: 'gs://weeks-of-shop/scripts/squares.sql', scriptVariables: { output: 'gs://weeks-of-shop/out/' } },
    },
  })
  let job = submitted
  while (!job.done) [job] = await jobs.getJob({ projectId: PROJECT, region: REGION, jobId: job.reference?.jobId ?? '' })
  assert.equal(job.status?.state, 'DONE', job.status?.details ?? '')
  const [deletion] = await clusters.deleteCluster({ projectId: PROJECT, region: REGION, clusterName })
  await deletion.promise()
  assert.deepEqual((await clusters.listClusters({ projectId: PROJECT, region: REGION }))[0], [])

  const [manifest] = await bucket.file('out/_manifest.json').download()
  const { rows, parts } = JSON.parse(String(manifest)) as { rows: number; parts: { name: string }[] }
  const texts = await Promise.all(parts.map(async ({ name }) => String((await bucket.file(`out/${name}`).download())[0])))
  const lines = texts.flatMap((text) => text.trim().split('\n').slice(1)).sort()
  assert.deepEqual([rows, lines], [3, ['1,1', '2,4', '3,9']])

  const [running] = await builds.createBuild({
    projectId: PROJECT,
    build: {
      steps: [
        { id: 'make', name: 'bash', args: ['-c', MAKE_IMAGE] },
        { id: 'build', name: 'gcr.io/cloud-builders/docker', args: ['build', '-t', IMAGE, '.'] },
        { id: 'push', name: 'gcr.io/cloud-builders/docker', args: ['push', IMAGE] },
      ],
      images: [IMAGE],
      timeout: { seconds: 120 },
    },
  })
  const [build] = await running.promise()
  assert.deepEqual(
    build.steps?.map(({ id }) => id),
    ['make', 'build', 'push'],
  )
  assert.equal((await builds.getBuild({ projectId: PROJECT, id: build.id ?? '' }))[0].status, 'SUCCESS')

  const template = { containers: [{ image: IMAGE, env: [{ name: 'ROWS', value: String(rows) }] }] }
  const [deployment] = await services.createService({ parent: PARENT, serviceId: 'weeks', service: { template } })
  const [service] = await deployment.promise()
  const ask = () => fetch(service.uri ?? '', { headers: { Authorization: `Bearer ${token}` } })
  assert.deepEqual(await (await ask()).json(), { rows: '3' })

  const [removal] = await services.deleteService({ name: `${PARENT}/services/weeks` })
  await removal.promise()
  assert.equal((await ask()).status, 404)
  await bucket.deleteFiles()
  await bucket.delete()
  assert.deepEqual(
    (await storage.getBuckets())[0].map(({ name }) => name).filter((name) => name === 'weeks-of-shop'),
    [],
  )
})
