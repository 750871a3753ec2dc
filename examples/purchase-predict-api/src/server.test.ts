import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { type ApiServer, createApi } from './server.ts'
import { ROW, testingPredictor } from './testing-model.ts'

let api: ApiServer
let address = ''

before(async () => {
  api = createApi({ name: 'purchase_predict', version: '7', predictor: await testingPredictor() }, { bodyLimitBytes: 10_000 })
  api.server.listen(0, '127.0.0.1')
  await once(api.server, 'listening')
  address = `http://127.0.0.1:${(api.server.address() as AddressInfo).port}`
})
after(() => api.server.close())

async function predict(body: unknown): Promise<{ status: number; answer: Answer }> {
  const response = await fetch(`${address}/predict`, { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) })
  return { status: response.status, answer: (await response.json()) as Answer }
}
// biome-ignore lint/suspicious/noExplicitAny: the answers have several shapes, which the tests look into
type Answer = any

test('GET / says OK, GET /health says which model is served, and every answer carries its version', async () => {
  const home = await fetch(address)
  assert.deepEqual([home.status, await home.text(), home.headers.get('x-model-version')], [200, 'OK !', '7'])
  const health = await fetch(`${address}/health`)
  assert.deepEqual([health.status, await health.json()], [200, { status: 'ok', model: { name: 'purchase_predict', version: '7' } }])
})

test('an object and a list of objects are answered with prediction and probability', async () => {
  const one = await predict(ROW)
  assert.equal(one.status, 200)
  const [{ prediction, probability }] = one.answer.predictions
  assert.equal(prediction, probability > 0.5 ? 1 : 0)
  const list = await predict([ROW, { ...ROW, duration: 0 }])
  assert.equal(list.answer.predictions[0].probability, probability)
  assert.ok(list.answer.predictions[1].probability < probability)
  assert.deepEqual(await predict([]), { status: 200, answer: { predictions: [] } })
})

test('the table by columns is answered with 0 and 1 in the order of its rows, also when it is encoded twice', async () => {
  const durations = { 5: 300, 2: 0, 11: 300 }
  const column = (name: string, value: unknown) =>
    `"${name}":{"5":${JSON.stringify(value)}, "2":${JSON.stringify(value)},"11":${JSON.stringify(value)}}`
  const columns = Object.entries({ ...ROW, brand: 'a "q\\' }).map(([name, value]) => column(name, value))
  const table = `{${columns.join(',').replace(/"duration":\{[^}]*\}/, `"duration":{"5":${durations[5]},"2":${durations[2]},"11":${durations[11]}}`)}}`
  assert.deepEqual(await predict(table), { status: 200, answer: [1, 0, 1] })
  assert.deepEqual(await predict(JSON.stringify(table)), { status: 200, answer: [1, 0, 1] })
})

test('categories that training has never seen, missing ones and the ids of the primary table are no problem', async () => {
  const { category, ...rest } = ROW
  assert.equal(category, 'electronics')
  const row = { ...rest, brand: 'a brand from next year', sub_category: null, user_id: 'u', user_session: 's', purchased: 1 }
  const { status, answer } = await predict(row)
  assert.equal(status, 200)
  assert.deepEqual(answer, (await predict({ ...ROW, category: 'unknown', brand: null, sub_category: 'unknown' })).answer)
})

test('bad rows are refused with all their problems', async () => {
  const { price, ...rest } = ROW
  assert.ok(price)
  const { status, answer } = await predict([ROW, { ...rest, hour: 25, weekday: 1.5, brand: 3, duration: '76', pric: 1 }])
  assert.equal(status, 400)
  assert.deepEqual(answer.problems, [
    'row 1: brand must be a text or null, not 3',
    'row 1: price is missing; it must be a number from 0',
    'row 1: hour must be a whole number from 0 to 23, not 25',
    'row 1: weekday must be a whole number from 0 to 6, not 1.5',
    'row 1: duration must be a number from 0, not "76"',
    answer.problems[5],
  ])
  assert.match(answer.problems[5], /^row 1: "pric" is not a column of the model/)
  const many = await predict(Array(20).fill({}))
  assert.deepEqual([many.answer.problems.length, many.answer.problems.at(-1)], [101, 'and 100 more'])
})

test('a body that is none of the forms is refused with what to send', async () => {
  for (const body of ['', '{', '3', 'null', '[1]', '"[1]"', '{"price":{"0":1},"hour":2}', '{"price":{"0":1},"hour":{"0":1,"1":2}}']) {
    const { status, answer } = await predict(body)
    assert.equal(status, 400, body)
    assert.equal(answer.problems.length, 1, body)
  }
})

test('a body over the limit, another method and another path are refused', async () => {
  assert.equal((await predict(' '.repeat(10_001))).status, 413)
  const get = await fetch(`${address}/predict`)
  assert.deepEqual([get.status, get.headers.get('allow')], [405, 'POST'])
  assert.equal((await fetch(`${address}/predictions`)).status, 404)
})

test('a draining server answers what has begun and takes nothing new', async () => {
  const other = createApi({ name: 'm', version: '1', predictor: await testingPredictor() }, { bodyLimitBytes: 10_000 })
  other.server.listen(0, '127.0.0.1')
  await once(other.server, 'listening')
  const { port } = other.server.address() as AddressInfo
  const body = JSON.stringify(ROW)
  const began = Promise.withResolvers<void>()
  other.server.once('request', () => began.resolve())
  const { request } = await import('node:http')
  const sending = request({ port, method: 'POST', path: '/predict', headers: { 'Content-Length': body.length } })
  const answered = once(sending, 'response')
  sending.write(body.slice(0, 10))
  await began.promise
  const drained = other.drain()
  sending.end(body.slice(10))
  const [response] = await answered
  assert.equal(response.statusCode, 200)
  response.resume()
  await drained
  await assert.rejects(fetch(`http://127.0.0.1:${port}/health`))
})
