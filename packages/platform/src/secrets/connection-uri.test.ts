import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AppError } from '../core/app-error.ts'
import type { Connection } from './connection.ts'
import { connectionFromUri, connectionToUri } from './connection-uri.ts'

const NOTHING: Connection = {
  ...{ id: 'c', type: 'http', host: null, port: null, schema: null, login: null, password: null, extra: {}, description: null },
}

/** What Airflow 3 reads from a URI, and whether it writes the very same one for it. */
const TABLE: readonly (readonly [uri: string, parts: Partial<Connection>, isWritten?: boolean])[] = [
  ['http://', {}, true],
  ['http://example.com', { host: 'example.com' }, true],
  ['http://example.com:8080', { host: 'example.com', port: 8080 }, true],
  ['http://example.com:80/', { host: 'example.com', port: 80 }],
  ['http://me@example.com', { login: 'me', host: 'example.com' }, true],
  ['http://me:pw@example.com', { login: 'me', password: 'pw', host: 'example.com' }, true],
  ['http://:pw@example.com', { password: 'pw', host: 'example.com' }, true],
  ['http://me:p:w@d@example.com', { login: 'me', password: 'p:w@d', host: 'example.com' }],
  ['http://lo%40gin:p%2Fw%3A@ho%3Ast:1/sche%20ma', { login: 'lo@gin', password: 'p/w:', host: 'ho:st', port: 1, schema: 'sche ma' }, true],
  ['postgres://%2Ftmp%2Fsocket/db', { type: 'postgres', host: '/tmp/socket', schema: 'db' }, true],
  ['postgresql://db', { type: 'postgres', host: 'db' }],
  ['postgres://host/a/b', { type: 'postgres', host: 'host', schema: 'a/b' }],
  ['postgres://host/a%2Fb', { type: 'postgres', host: 'host', schema: 'a/b' }, true],
  ['google-cloud-platform://?project=p', { type: 'google_cloud_platform', extra: { project: 'p' } }],
  ['google-cloud-platform:///?project=p', { type: 'google_cloud_platform', extra: { project: 'p' } }, true],
  ['http://host/s?a=A&b=x+y', { host: 'host', schema: 's', extra: { a: 'A', b: 'x y' } }, true],
  ['http://host/?a=5&b=true&c=007&d=12345678901234567890', { host: 'host', extra: { a: 5, b: true, c: '007', d: '12345678901234567890' } }],
  ['http://host/?empty=', { host: 'host', extra: { empty: '' } }, true],
  ['http://host/?__extra__=%7B%22a%22%3A%7B%22b%22%3A1%7D%7D', { host: 'host', extra: { a: { b: 1 } } }, true],
  ['http:///?url=https%3A%2F%2Fx.com', { extra: { url: 'https://x.com' } }, true],
  ['http://https://example.com', { host: 'https://example.com' }, true],
  [
    'spark://k8s://me:pw@100.68.0.1:443/ns?queue=q',
    { type: 'spark', host: 'k8s://100.68.0.1', port: 443, login: 'me', password: 'pw', schema: 'ns', extra: { queue: 'q' } },
    true,
  ],
  ['http://@:8080', { port: 8080 }, true],
  ['http://[::1]:8080', { host: '::1', port: 8080 }],
  ['http://%3A%3A1:8080', { host: '::1', port: 8080 }, true],
  ['HTTP://Example.com', { host: 'Example.com' }],
]

for (const [uri, parts, isWritten = false] of TABLE)
  test(`${uri} is read into its parts${isWritten ? ', and written again' : ''}`, () => {
    assert.deepEqual(connectionFromUri('c', uri), { ...NOTHING, ...parts })
    if (isWritten) assert.equal(connectionToUri({ ...NOTHING, ...parts }), uri)
  })

test('whatever the parts of a connection are, its URI is read into the same ones', () => {
  let state = 42
  const random = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
  const SIGNS = [...'aZ09 :/?#[]@!$&\'()*+,;=%-_.~"<>\\^`{|}é✓😀']
  const text = (): string | null =>
    random(4) === 0 ? null : Array.from({ length: 1 + random(8) }, () => SIGNS[random(SIGNS.length)]).join('')
  const value = (): unknown => [text(), '', 7, true, { deep: [text()] }][random(5)]
  for (let i = 0; i < 3000; i++) {
    const extra = Object.fromEntries(Array.from({ length: random(4) }, () => [text() ?? '', random(2) ? (text() ?? '') : value()]))
    const protocol = random(8) === 0 ? 'https://' : ''
    const host = text()
    const connection: Connection = {
      ...NOTHING,
      type: ['http', 'google_cloud_platform', 'aws'][random(3)] as string,
      // Of two protocols the second one is part of the host's name, which no URI can tell.
      host: protocol && host ? protocol + host : host?.includes('://') ? null : host,
      port: random(2) ? random(65536) : null,
      ...{ schema: text(), login: text(), password: text(), extra },
    }
    const uri = connectionToUri(connection)
    assert.deepEqual(connectionFromUri('c', uri), connection, uri)
  }
})

test('a URI that cannot be read is refused with all that is wrong, and nothing of what is in it', () => {
  const uri = 'http://me:hunter22%@ho:st:port/?__extra__=hunter33&b=1'
  assert.throws(
    () => connectionFromUri('c', uri),
    (error) => {
      assert.ok(error instanceof AppError && error.code === 'invalid')
      assert.equal(error.problems.length, 4)
      assert.ok(!JSON.stringify([error.message, error.problems]).includes('hunter'))
      return true
    },
  )
  assert.throws(
    () => connectionFromUri('c', 'http://me:hun#ter22@host'),
    (error) => error instanceof AppError && /"%23"/.test(error.problems[0] ?? ''),
  )
  assert.throws(() => connectionFromUri('c', 'no uri'), /neither JSON nor a URI/)
})
