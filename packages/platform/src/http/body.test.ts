import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { readBody } from './airflow-body.ts'
import { readObject, readText } from './body.ts'
import { readJson } from './json-body.ts'

const sent = (body: NonNullable<RequestInit['body']>) => new Request('http://localhost/', { method: 'POST', body, ...{ duplex: 'half' } })

test('a body is given up as soon as it is larger than it may be, whatever length it was announced with', async () => {
  let chunks = 0
  const endless = new ReadableStream<Uint8Array>({
    pull(controller) {
      chunks++
      controller.enqueue(new Uint8Array(1024 * 1024))
    },
  })
  await assert.rejects(readText(sent(endless)), { code: 'invalid', message: /has more than 4194304 bytes/ })
  assert.ok(chunks < 10, `${chunks} chunks were read`)
})

test('a body is a JSON object or nothing', async () => {
  assert.deepEqual(await readObject(sent('{"a":1}')), { a: 1 })
  assert.deepEqual(await readObject(sent('  ')), {})
  for (const body of ['[]', 'null', '"x"', '{', '1']) await assert.rejects(readObject(sent(body)), { code: 'invalid' })
})

test('a body that is nested thousands deep is refused in the words of each protocol', async () => {
  const deep = `{"a":${'['.repeat(5000)}${']'.repeat(5000)}}`
  for (const read of [
    readObject,
    (request: Request) => readJson(request, z.unknown()),
    (request: Request) => readBody(request, z.unknown()),
  ])
    await assert.rejects(read(sent(deep)), { code: 'invalid', message: /more than 200 deep/ })
})
