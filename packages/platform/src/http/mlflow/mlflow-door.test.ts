import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { lightgbmModel, MlflowClient, MlflowError } from '@daggerboard/mlflow'
import { type ListeningMlflow, listenMlflow } from '../../../test/listening-mlflow.ts'

let server: ListeningMlflow
let client: MlflowClient

before(async () => {
  server = await listenMlflow()
  client = new MlflowClient({ trackingUri: server.uri, token: server.token })
})

after(async () => {
  await server.stop()
  assert.deepEqual(server.internalErrors, [], 'nothing that these tests did was answered 500')
})

/** A call as any HTTP client sends it. */
async function call(method: string, path: string, body?: unknown, token: string | null = server.token) {
  const response = await fetch(`${server.uri}${path}`, {
    method,
    headers: { 'Content-Type': 'application/json', ...(token ? { Authorization: `Bearer ${token}` } : {}) },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const text = await response.text()
  return { status: response.status, body: text.startsWith('{') ? JSON.parse(text) : text }
}
const api = (path: string) => `/api/2.0/mlflow/${path}`

async function run(experiment: string) {
  return client.startRun({ experimentId: await client.setExperiment(experiment), runName: 'first' })
}

const signature = { inputs: [{ name: 'price', type: 'double' as const }], outputs: [{ type: 'double' as const }] }

test('a run keeps what it was given and measured, and tells it under the name of its creator', async () => {
  const started = await run('purchase_predict')
  await started.logParams({ leaves: 60, objective: 'binary', tuned: true })
  await started.logMetrics({ auc: 0.7, logloss: Number.NaN })
  await started.logMetric('auc', 0.76, 2)
  await started.setTag('branch', 'staging')
  await started.end()

  const kept = await client.getRun(started.id)
  assert.equal(kept.status, 'FINISHED')
  assert.deepEqual(kept.params, { leaves: '60', objective: 'binary', tuned: 'true' })
  assert.deepEqual(kept.metrics, { auc: 0.76, logloss: Number.NaN })
  assert.equal(kept.tags.branch, 'staging')
  assert.equal(kept.tags['mlflow.runName'], 'first')

  const mine = server.events.filter((event) => 'runId' in event.facts && event.facts.runId === started.id)
  assert.ok(mine.every((event) => event.by === 'build:test'))
  assert.deepEqual(
    mine.filter((event) => event.type === 'experiment_run.changed').map((event) => event.facts),
    ['RUNNING', 'FINISHED'].map((status) => ({ experiment: 'purchase_predict', runId: started.id, runName: 'first', status })),
  )
  assert.deepEqual(
    mine.filter((event) => event.type === 'metric.logged').map((event) => `${event.facts.key}@${event.facts.step}`),
    ['auc@0', 'logloss@0', 'auc@2'],
  )
})

test('the latest metric is the one of the greatest step, whatever comes last', async () => {
  const { id } = await run('steps')
  for (const step of [3, 1, 2])
    await call('POST', api('runs/log-metric'), { run_id: id, run_uuid: id, key: 'loss', value: step / 10, timestamp: '5', step })
  assert.equal((await client.getRun(id)).metrics.loss, 0.3)
  const history = await call('GET', api(`metrics/get-history?run_id=${id}&metric_key=loss&max_results=2`))
  assert.deepEqual(
    history.body.metrics.map((metric: { step: number }) => metric.step),
    [1, 2],
  )
  assert.ok(history.body.next_page_token)
})

test('a batch that is sent twice is written once and told once', async () => {
  const { id } = await run('idempotent')
  const batch = { run_id: id, metrics: [{ key: 'a', value: 1, timestamp: 1, step: 0 }], params: [{ key: 'p', value: 'x' }], tags: [] }
  for (const _ of [1, 2]) assert.equal((await call('POST', api('runs/log-batch'), batch)).status, 200)
  assert.equal((await call('GET', api(`metrics/get-history?run_id=${id}&metric_key=a`))).body.metrics.length, 1)
  assert.equal(server.events.filter((event) => event.type === 'metric.logged' && event.facts.runId === id).length, 1)
})

test('a param is written once; a batch with another value is refused as a whole', async () => {
  const { id } = await run('params')
  await call('POST', api('runs/log-parameter'), { run_id: id, key: 'depth', value: '12' })
  const refused = await call('POST', api('runs/log-batch'), {
    run_id: id,
    params: [
      { key: 'depth', value: '13' },
      { key: 'leaves', value: '60' },
    ],
    metrics: [{ key: 'm', value: 1, timestamp: 1 }],
  })
  assert.equal(refused.status, 400)
  assert.equal(refused.body.error_code, 'INVALID_PARAMETER_VALUE')
  assert.match(refused.body.message, /key='depth'.*'12'.*'13'/s)
  const kept = await client.getRun(id)
  assert.deepEqual([kept.params, kept.metrics], [{ depth: '12' }, {}])
})

test('all that is wrong with a batch is told at once', async () => {
  const { id } = await run('problems')
  const { status, body } = await call('POST', api('runs/log-batch'), {
    run_id: id,
    metrics: [{ key: '../up', value: 1, timestamp: 1 }],
    params: [{ key: 'long', value: 'x'.repeat(6001) }],
    tags: [{ key: '', value: '' }],
  })
  assert.equal(status, 400)
  for (const part of [/"\.\.\/up"/, /6001 characters/, /tag is empty/]) assert.match(body.message, part)
})

test('runs are found by their metrics, params, tags and attributes, in the order that is asked for', async () => {
  const experimentId = await client.setExperiment('search')
  for (const [index, auc] of [0.7, 0.9, 0.8].entries()) {
    const each = await client.startRun({ experimentId, runName: `run ${index}`, tags: { 'data set': index === 0 ? 'Old' : 'new' } })
    await each.logMetric('auc', auc)
    await each.logParam('depth', String(index))
  }
  const find = async (filter: string, order_by: string[] = ['metrics.auc DESC']) => {
    const { body } = await call('POST', api('runs/search'), { experiment_ids: [experimentId], filter, order_by })
    return body.runs?.map((found: { info: { run_name: string } }) => found.info.run_name) ?? body.message
  }
  assert.deepEqual(await find(''), ['run 1', 'run 2', 'run 0'])
  assert.deepEqual(await find('metrics.auc >= 0.8 and params.depth = "1"'), ['run 1'])
  assert.deepEqual(await find("tags.`data set` ILIKE 'old%'"), ['run 0'])
  assert.deepEqual(await find("tags.`data set` LIKE 'old%'"), [])
  assert.deepEqual(await find("attributes.run_name != 'run 1' AND status = 'RUNNING'", ['params.depth ASC']), ['run 0', 'run 2'])
  assert.deepEqual(await find("params.missing = 'x'"), [])
  assert.match(await find("metrics.auc > '0.8'"), /Invalid clause.*a number/)
  assert.match(await find('metrics.auc > 1 OR metrics.auc < 0'), /joined by AND only/)
  assert.match(await find("params.x = ''; DROP TABLE param"), /cannot be read/)
  assert.match(await find("attributes.stats = 'x'"), /Did you mean "status"/)
  const first = await call('POST', api('runs/search'), { experiment_ids: [experimentId], max_results: 2 })
  const second = await call('POST', api('runs/search'), {
    experiment_ids: [experimentId],
    max_results: 2,
    page_token: first.body.next_page_token,
  })
  assert.deepEqual([first.body.runs.length, second.body.runs.length, second.body.next_page_token], [2, 1, undefined])
})

test('a model goes from its run to a version, a stage and an alias, and comes back byte for byte', async () => {
  const started = await run('registry')
  await started.logMetric('auc', 0.77)
  const weights = randomBytes(3_000_000)
  const files = lightgbmModel({ text: 'tree\n', signature, inputExample: [{ price: 1.5 }], runId: started.id }).set(
    'extra/weights é.bin',
    weights,
  )
  await started.logModel('model', files)
  await started.logArtifact('encoders.json', '{"brand":1}')

  const first = await client.registerModel({ name: 'purchase_predict', runId: started.id, path: 'model', tags: { branch: 'staging' } })
  const second = await client.registerModel({ name: 'purchase_predict', runId: started.id, path: 'model' })
  assert.deepEqual([first.version, second.version], ['1', '2'])
  assert.equal(await client.latestVersion('purchase_predict', 'Staging'), null)
  await client.transitionStage({ name: 'purchase_predict', version: '1', stage: 'staging', archiveExisting: true })
  await client.transitionStage({ name: 'purchase_predict', version: '2', stage: 'Staging', archiveExisting: true })
  await client.setAlias('purchase_predict', 'champion', '1')

  const newest = await client.latestVersion('purchase_predict', 'Staging')
  assert.equal(newest?.version, '2')
  assert.equal(newest?.runId, started.id)
  const versions: string[] = []
  for (const reference of ['/Staging', '/1', '@champion', '/latest', '/Archived'])
    versions.push((await client.downloadModel(`models:/purchase_predict${reference}`)).version)
  assert.deepEqual(versions, ['2', '1', '1', '2', '1'])
  const { files: fetched, runId } = await client.downloadModel('models:/purchase_predict/Staging')
  assert.equal(runId, started.id)
  assert.deepEqual([...fetched.keys()].sort(), [...files.keys()].sort())
  assert.ok(weights.equals(fetched.get('extra/weights é.bin') as Uint8Array))
  assert.equal(Buffer.from(await client.downloadArtifact(started.id, 'encoders.json')).toString(), '{"brand":1}')

  const told = server.events.filter((event) => event.type === 'model_version.changed').map(({ by, facts }) => ({ by, ...facts }))
  const metrics = { auc: 0.77 }
  const fact = (version: string, stage: string) => ({
    by: 'build:test',
    name: 'purchase_predict',
    version,
    stage,
    runId: started.id,
    metrics,
  })
  assert.deepEqual(told, [fact('1', 'None'), fact('2', 'None'), fact('1', 'Staging'), fact('1', 'Archived'), fact('2', 'Staging')])
})

test('a stage that does not exist, and archiving for one that is not in use, are refused', async () => {
  const body = { name: 'purchase_predict', version: '1' }
  const unknown = await call('POST', api('model-versions/transition-stage'), { ...body, stage: 'Prod' })
  assert.deepEqual([unknown.status, unknown.body.error_code], [400, 'INVALID_PARAMETER_VALUE'])
  const idle = await call('POST', api('model-versions/transition-stage'), { ...body, stage: 'Archived', archive_existing_versions: true })
  assert.match(idle.body.message, /not an Active stage/)
})

test('what is not there is RESOURCE_DOES_NOT_EXIST, what is taken is RESOURCE_ALREADY_EXISTS with 400, what is unknown is ENDPOINT_NOT_FOUND', async () => {
  const answers = [
    await call('GET', api('experiments/get-by-name?experiment_name=nothing')),
    await call('GET', api('runs/get?run_id=nothing')),
    await call('POST', api('experiments/create'), { name: 'registry' }),
    await call('POST', api('registered-models/create'), { name: 'purchase_predict' }),
    await call('GET', api('traces/1')),
    await call('POST', '/api/3.0/mlflow/traces'),
    await call('POST', '/ajax-api/2.0/mlflow/nonsense'),
  ]
  assert.deepEqual(
    answers.map(({ status, body }) => `${status} ${body.error_code}`),
    [
      '404 RESOURCE_DOES_NOT_EXIST',
      '404 RESOURCE_DOES_NOT_EXIST',
      '400 RESOURCE_ALREADY_EXISTS',
      '400 RESOURCE_ALREADY_EXISTS',
      '404 ENDPOINT_NOT_FOUND',
      '404 ENDPOINT_NOT_FOUND',
      '404 ENDPOINT_NOT_FOUND',
    ],
  )
})

test('no bad request is answered 5xx', async () => {
  const bodies: unknown[] = [
    '',
    '{',
    '[]',
    '7',
    'null',
    {},
    { run_id: 7 },
    { run_id: {}, metrics: 'x', name: [], experiment_ids: {}, max_results: 'x' },
  ]
  const paths = [
    'runs/create',
    'runs/log-batch',
    'runs/search',
    'runs/log-inputs',
    'experiments/create',
    'registered-models/create',
    'model-versions/create',
    'logged-models',
  ]
  for (const path of paths)
    for (const body of bodies) {
      const { status, body: answer } = await call('POST', api(path), body)
      assert.ok(status < 500, `${path} with ${JSON.stringify(body)}: ${status} ${JSON.stringify(answer)}`)
    }
})

test('artifact paths that lead elsewhere are refused, and nothing half-written is ever seen', async () => {
  const artifacts = '/api/2.0/mlflow-artifacts/artifacts'
  for (const path of ['..%2f..%2fetc%2fpasswd', '%2fetc%2fpasswd', '1/%2e%2e%2fx', '1/a%5cb', '1//x', '1/%zz', '1/a%00b']) {
    const { status } = await call('PUT', `${artifacts}/${path}`, 'x')
    assert.equal(status, 400, path)
  }
  assert.equal((await call('GET', `${artifacts}?path=../..`)).status, 400)
  assert.equal((await call('PUT', `${artifacts}/9/folder/file`, 'x')).status, 200)
  assert.equal((await call('PUT', `${artifacts}/9/folder`, 'x')).status, 400)
  assert.equal((await call('PUT', `${artifacts}/9/folder/file/below`, 'x')).status, 400)
  assert.deepEqual((await call('GET', `${artifacts}?path=9`)).body, { files: [{ path: 'folder', is_dir: true }] })

  const abort = new AbortController()
  const endless = new ReadableStream({ pull: (controller) => void controller.enqueue(new Uint8Array(1024)), cancel: () => {} })
  const headers = { Authorization: `Bearer ${server.token}` }
  const upload = fetch(`${server.uri}${artifacts}/9/partial`, {
    method: 'PUT',
    body: endless,
    duplex: 'half',
    headers,
    signal: abort.signal,
  } as RequestInit)
  setImmediate(() => abort.abort())
  await assert.rejects(upload)
  assert.equal((await call('GET', `${artifacts}/9/partial`)).status, 404)
})

test('a page among the artifacts is a download, a picture is shown', async () => {
  const artifacts = `${server.uri}/api/2.0/mlflow-artifacts/artifacts/9`
  const headers = { Authorization: `Bearer ${server.token}` }
  const types: (string | null)[] = []
  for (const name of ['page.html', 'plot.png', 'drawing.svg']) {
    await fetch(`${artifacts}/${name}`, { method: 'PUT', body: '<script>', headers })
    types.push((await fetch(`${artifacts}/${name}`, { headers })).headers.get('content-type'))
  }
  assert.deepEqual(types, ['application/octet-stream', 'image/png', 'application/octet-stream'])
})

test('strangers are turned away, readers may not write, and anyone may ask for the version', async () => {
  assert.deepEqual((await call('GET', api('runs/get?run_id=x'), undefined, null)).body.error_code, 'UNAUTHENTICATED')
  assert.equal((await call('POST', api('experiments/create'), { name: 'x' }, server.readToken)).body.error_code, 'PERMISSION_DENIED')
  assert.equal((await call('GET', api('experiments/get?experiment_id=0'), undefined, server.readToken)).body.experiment.name, 'Default')
  assert.match((await call('GET', '/version', undefined, null)).body, /^3\./)
  await assert.rejects(
    new MlflowClient({ trackingUri: server.uri, token: 'no' }).setExperiment('x'),
    (error: unknown) => error instanceof MlflowError && error.status === 401 && /MLFLOW_TRACKING_TOKEN/.test(error.message),
  )
})

test('a version may not be registered from a path of the server', async () => {
  for (const source of ['/etc', 'file:///etc', 's3://bucket/%252e%252e/x', 'mlflow-artifacts:/../x', 'relative']) {
    const { status, body } = await call('POST', api('model-versions/create'), { name: 'purchase_predict', source })
    assert.equal(status, 400, `${source}: ${JSON.stringify(body)}`)
  }
})

test('a number of a deleted version is not given again, and its alias goes with it', async () => {
  const { id } = await run('numbers')
  const add = () => client.registerModel({ name: 'numbers', runId: id, path: 'model' })
  await add()
  const { version } = await add()
  await client.setAlias('numbers', 'champion', version)
  await call('DELETE', api('model-versions/delete'), { name: 'numbers', version })
  assert.equal((await add()).version, '3')
  assert.deepEqual((await call('GET', api('registered-models/get?name=numbers'))).body.registered_model.aliases, [])
  const renamed = await call('POST', api('registered-models/rename'), { name: 'numbers', new_name: 'counted' })
  assert.deepEqual([renamed.status, (await client.latestVersion('counted', 'None'))?.version], [200, '3'])
})

test('who only asks how large an artifact is leaves no file open', { skip: !existsSync('/proc/self/fd') && 'needs /proc' }, async () => {
  const url = `${server.uri}/api/2.0/mlflow-artifacts/artifacts/9/large.bin`
  const headers = { Authorization: `Bearer ${server.token}` }
  await fetch(url, { method: 'PUT', body: 'x'.repeat(1_000_000), headers })
  const open = () => readdirSync('/proc/self/fd').length
  const before = open()
  for (let i = 0; i < 20; i++)
    assert.equal((await fetch(url, { method: 'HEAD', headers })).headers.get('content-length'), '1000000', 'the size is answered')
  assert.ok(open() < before + 10, `${open()} files are open, and ${before} were before`)
})
