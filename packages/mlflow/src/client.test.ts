import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { MlflowClient, MlflowError } from './index.ts'
import { parseModelUri } from './version.ts'

/** A server that gives one answer after the other, and notes what it was asked. */
async function answering(t: TestContext, answers: readonly (readonly [status: number, body: object])[]) {
  const asked: string[] = []
  const server = createServer((request, response) => {
    const [status, body] = answers[Math.min(asked.length, answers.length - 1)] as [number, object]
    asked.push(`${request.method} ${request.url} ${request.headers.authorization ?? ''}`.trim())
    response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  return { asked, trackingUri: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

const run = {
  info: { run_id: 'r', experiment_id: '1', status: 'RUNNING', start_time: '5', artifact_uri: 'mlflow-artifacts:/1/r/artifacts' },
}
const busy = [503, { error_code: 'TEMPORARILY_UNAVAILABLE', message: 'busy' }] as const

test('a call that may be repeated is repeated while the server is busy, with the token each time', async (t) => {
  const { asked, trackingUri } = await answering(t, [busy, [429, {}], [200, { run }]])
  const found = await new MlflowClient({ trackingUri, token: 'T', restMs: 1 }).getRun('r')
  assert.equal(found.startTime, 5)
  assert.deepEqual(asked, Array(3).fill('GET /api/2.0/mlflow/runs/get?run_id=r Bearer T'))
})

test('an answer that breaks off is asked for again', async (t) => {
  let asked = 0
  const server = createServer((_, response) => {
    const text = JSON.stringify({ run })
    response.writeHead(200, { 'Content-Length': text.length })
    if (++asked > 1) response.end(text)
    else response.write(text.slice(0, 10), () => response.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const trackingUri = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  assert.equal((await new MlflowClient({ trackingUri, restMs: 1 }).getRun('r')).id, 'r')
  assert.equal(asked, 2)
})

test('a call that makes something new is sent once', async (t) => {
  const { asked, trackingUri } = await answering(t, [busy])
  const client = new MlflowClient({ trackingUri, restMs: 1 })
  await assert.rejects(client.startRun({ experimentId: '1' }), (error: unknown) => error instanceof MlflowError && error.status === 503)
  assert.equal(asked.length, 1)
})

test('a refused call is not repeated, and its error says which call, what was answered and what to do', async (t) => {
  const { asked, trackingUri } = await answering(t, [[401, { error_code: 'UNAUTHENTICATED', message: 'no token' }]])
  await assert.rejects(new MlflowClient({ trackingUri, restMs: 1 }).getRun('r'), {
    message: `GET /api/2.0/mlflow/runs/get: the MLflow server at ${trackingUri} answered 401 UNAUTHENTICATED: no token. Set MLFLOW_TRACKING_TOKEN to a token that is valid there.`,
    code: 'UNAUTHENTICATED',
  })
  assert.equal(asked.length, 1)
})

test('a server that is not there, and a tracking URI that is not set, are said plainly', async () => {
  const client = new MlflowClient({ trackingUri: 'http://127.0.0.1:1', tries: 2, restMs: 1 })
  await assert.rejects(client.getRun('r'), /cannot reach the MLflow server at http:\/\/127.0.0.1:1.*MLFLOW_TRACKING_URI/s)
  assert.throws(() => new MlflowClient({ trackingUri: '' }), /MLFLOW_TRACKING_URI is not set/)
  assert.throws(() => new MlflowClient({ trackingUri: 'sqlite:///x' }), /must begin with http/)
})

test('a cancelled client stops between its tries', async (t) => {
  const { asked, trackingUri } = await answering(t, [busy])
  const abort = new AbortController()
  const client = new MlflowClient({ trackingUri, restMs: 60_000, signal: abort.signal })
  const call = client.getRun('r')
  const rejected = assert.rejects(call, { name: 'AbortError' })
  while (asked.length === 0) await new Promise((resolve) => setImmediate(resolve))
  abort.abort()
  await rejected
  assert.equal(asked.length, 1)
})

test('artifacts that the server does not hand out are refused before anything is sent', async (t) => {
  const elsewhere = { info: { ...run.info, artifact_uri: 's3://bucket/1' } }
  const { trackingUri } = await answering(t, [[200, { run: elsewhere }]])
  await assert.rejects(
    new MlflowClient({ trackingUri }).downloadArtifact('r', 'x'),
    /"s3:\/\/bucket\/1" cannot be reached through the tracking server/,
  )
})

test('model URIs name a stage, a version, an alias or the latest', () => {
  assert.deepEqual(parseModelUri('models:/m/Staging'), { name: 'm', stage: 'Staging' })
  assert.deepEqual(parseModelUri('models:/m/3'), { name: 'm', version: '3' })
  assert.deepEqual(parseModelUri('models:/m@champion'), { name: 'm', alias: 'champion' })
  assert.deepEqual(parseModelUri('models:/m/latest'), { name: 'm', stage: null })
  for (const uri of ['models:/m', 'runs:/r/model', 'm/3']) assert.throws(() => parseModelUri(uri), /names no model/)
})
