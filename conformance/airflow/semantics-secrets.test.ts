/** Connections, names that hide, Fernet tokens and exported files: what Airflow's own code makes of ours, and ours of its. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { systemClock } from '../../packages/platform/src/core/clock.ts'
import { type Connection, parseConnection } from '../../packages/platform/src/secrets/connection.ts'
import { connectionToUri } from '../../packages/platform/src/secrets/connection-uri.ts'
import { parseEntries } from '../../packages/platform/src/secrets/entries.ts'
import { Fernet, newFernetKey } from '../../packages/platform/src/secrets/fernet.ts'
import { exportConnections, exportVariables, importConnections, importVariables } from '../../packages/platform/src/secrets/import.ts'
import { isSensitiveName, MASK, maskFields } from '../../packages/platform/src/secrets/masking.ts'
import type { Variable } from '../../packages/platform/src/secrets/variable.ts'
import { generator, whole } from '../../packages/platform/test/cron-walk.ts'
import { askPython } from '../python.ts'
import { pythonWithAirflow } from './python-with-airflow.ts'

type Fields = Readonly<Record<'conn_type' | 'host' | 'port' | 'schema' | 'login' | 'password', unknown>> & { readonly extra: unknown }
type Fieldset = Readonly<Record<string, Fields>>
interface Answers {
  readonly fromUri: readonly (Fields | string)[]
  readonly uris: readonly string[]
  readonly readAgain: readonly Fields[]
  readonly jsons: readonly string[]
  readonly fromJson: readonly (Fields | string)[]
  readonly hides: readonly boolean[]
  readonly redacted: readonly unknown[]
  readonly decrypted: readonly string[]
  readonly tokens: readonly string[]
  readonly rotated: readonly string[]
  readonly exports: Readonly<Record<'json' | 'yaml' | 'env' | 'envJson' | 'variables', string>>
  readonly imported: { readonly connections: Fieldset; readonly lines: Fieldset; readonly variables: Readonly<Record<string, string>> }
}

const CASES = 400
const random = generator(20_261_106)
const pick = <Item>(items: readonly Item[]): Item => items[whole(random, 0, items.length - 1)] as Item
const maybe = <Item>(item: () => Item): Item | null => (random() < 0.3 ? null : item())

/** Texts that need quoting in one place or another. */
const text = () =>
  Array.from({ length: whole(random, 1, 8) }, () => pick([...'abcXYZ019', ...' /:@?#%&=+[]"\'\\{}', 'é', '日', '🛡', '%41'])).join('')
const plain = () => pick(['db.example.com', 'localhost', '10.0.0.7', 'a-b_c', 'bucket/folder', 'https://example.com'])
const extra = (): Record<string, unknown> =>
  pick([
    (): Record<string, unknown> => ({}),
    () => ({ region: 'us-central1', key_path: text() }),
    () => ({ [text()]: text(), empty: '' }),
    () => ({ timeout: 5, nested: { list: [1, null, 'x'] }, ok: true }),
    () => ({ number: '5', yes: 'true', list: '[1]' }),
  ])()

const connections = Array.from(
  { length: CASES },
  (_, i): Connection => ({
    id: `c${i}`,
    type: pick(['http', 'postgres', 'google_cloud_platform', 'aws', 'my_own_type']),
    host: maybe(() => (random() < 0.5 ? plain() : text().replaceAll('://', ''))),
    port: maybe(() => whole(random, 1, 65_535)),
    schema: maybe(text),
    login: maybe(text),
    password: maybe(text),
    extra: extra(),
    description: maybe(text),
  }),
)
const URIS = [
  ...['http://a:b@h:1/s?x=1&y=abc', 'http://https://example.com:8080/path', 'postgresql://u@h/db', 'my-type://:p@', 'aws://', 'http://:80'],
  ...[
    'http://h/s%2Ft?__extra__=%7B%22a%22%3A1%7D',
    'http://%2Fpath@h',
    'x://h?a=&b=true&c=null&d=1.5&e=%5B1%5D&f=007',
    'http://[::1]:80/x',
  ],
  ...['google-cloud-platform://?key_path=%2Fkeys%2Fkey.json&num_retries=5', 'http://user:p%40ss%3Aword@h', 'HTTP://Host.Example/Path'],
]
const NAMES = [
  ...[
    'password',
    ' PASSWORD ',
    'X-Api-Key',
    'api key',
    'proxy',
    'https_proxies',
    'dsn',
    'bearer',
    'webhook_url',
    'access.key',
    'auth-header',
  ],
  ...[
    'connection string',
    'service key',
    'key',
    'host',
    'login',
    'tokenizer',
    'secretary',
    'private--key',
    'private__key',
    'pass',
    'user',
    '',
  ],
  ...['keyfile_dict', 'keyfile', 'AWS_SECRET_ACCESS_KEY', 'passphrase', 'credentials', 'client_id', 'authorization', 'sas', 'Über-token'],
]
const VARIABLES: Variable[] = [
  { key: 'text', value: 'plain', description: null },
  { key: 'digits', value: '007', description: null },
  { key: 'number', value: '12', description: 'twelve' },
  { key: 'json', value: '{"data": ["a", "b"]}', description: null },
  { key: 'shaped', value: '{"value": 1}', description: null },
  { key: 'quoted', value: '"in quotes"', description: null },
  { key: 'truth', value: 'true', description: null },
  { key: 'lines', value: 'a\nb', description: 'é' },
]

function value(depth = 0): unknown {
  const kind = random()
  if (depth > 7 || kind < 0.4) return pick(['text', 7, null, true, 'x', 0.5])
  if (kind < 0.6) return Array.from({ length: whole(random, 0, 3) }, () => value(depth + 1))
  return Object.fromEntries(Array.from({ length: whole(random, 1, 3) }, () => [pick(NAMES), value(depth + 1)]))
}

const keys = `${newFernetKey()},${newFernetKey()}`
const fernet = new Fernet(keys, systemClock)
const older = new Fernet(keys.split(',')[1] as string, systemClock)
const texts = Array.from({ length: 50 }, (_, i) => (i === 0 ? '' : text().repeat(i)))
const values = Array.from({ length: CASES }, () => value())
const asFields = ({ id, type, ...rest }: Connection) => ({ conn_id: id, conn_type: type, ...rest })
const fieldsOf = ({ type, host, port, schema, login, password, extra: more }: Connection): Fields => ({
  conn_type: type,
  ...{ host, port, schema, login, password, extra: more },
})
/** An empty text and none are the same; Airflow writes hosts in URIs small, and we leave them as they are. */
const nulled = (fields: object) =>
  Object.fromEntries(
    Object.entries(fields).map(([name, one]) => [name, one === '' ? null : name === 'host' ? (one?.toLowerCase() ?? null) : one]),
  )

let theirs: Answers
before(async () => {
  theirs = await askPython(await pythonWithAirflow(), join(import.meta.dirname, 'semantics_secrets.py'), {
    fernetKeys: keys,
    uris: [...URIS, ...connections.map(connectionToUri)],
    connections: connections.map(asFields),
    jsons: connections.map((one) => JSON.stringify({ ...asFields(one), conn_id: undefined })),
    names: NAMES,
    values,
    tokens: texts.map((one, i) => (i % 2 ? older : fernet).encrypt(one)),
    texts,
    variables: VARIABLES,
    ours: {
      connections: JSON.stringify(exportConnections(connections, 'json')),
      lines: Object.entries(exportConnections(connections, 'env'))
        .map(([id, uri]) => `${id}=${uri}`)
        .join('\n'),
      variables: JSON.stringify(exportVariables(VARIABLES, 'json')),
    },
  })
})

test('a URI is the connection that it is in Airflow', () => {
  for (const [i, uri] of URIS.entries()) {
    const expected = theirs.fromUri[i]
    assert.ok(typeof expected === 'object', `${uri}: ${expected}`)
    assert.deepEqual(nulled(fieldsOf(parseConnection('c', uri))), nulled(expected), uri)
  }
})

test('Airflow reads our URIs as the connections that they came of', () => {
  for (const [i, connection] of connections.entries())
    assert.deepEqual(nulled(theirs.fromUri[URIS.length + i] as Fields), nulled(fieldsOf(connection)), connectionToUri(connection))
})

test('we read the URIs of Airflow as it does itself', () => {
  for (const [i, uri] of theirs.uris.entries())
    assert.deepEqual(nulled(fieldsOf(parseConnection('c', uri))), nulled(theirs.readAgain[i] as Fields), uri)
})

test('connections as JSON go both ways', () => {
  for (const [i, connection] of connections.entries()) {
    assert.deepEqual(nulled(fieldsOf(parseConnection('c', theirs.jsons[i] as string))), nulled(fieldsOf(connection)))
    assert.deepEqual(theirs.fromJson[i], fieldsOf(connection))
  }
})

test('the names that tell of a secret are those of Airflow', () => {
  for (const [i, name] of NAMES.entries()) assert.equal(isSensitiveName(name), theirs.hides[i], name)
})

/** Numbers under a sensitive name are hidden here and shown by Airflow, which below a certain depth shows nothing of what we show the form of. */
function assertHidden(ours: unknown, airflow: unknown, plain: unknown): void {
  if (typeof plain === 'string') assert.equal(ours, airflow)
  else if (typeof plain !== 'object' || plain === null) assert.ok(ours === plain || ours === MASK)
  else {
    for (const name of Object.keys(plain)) {
      const [own, inner] = [ours, plain].map((one) => (one as Record<string, unknown>)[name])
      assertHidden(own, airflow === MASK ? MASK : (airflow as Record<string, unknown>)[name], inner)
    }
  }
}

test('what Airflow hides in nested values is hidden here', () => {
  for (const [i, one] of values.entries()) assertHidden(maskFields(one), theirs.redacted[i], one)
})

test('Fernet tokens are read on both sides, also those of an older key, and those that the other has rotated', () => {
  assert.deepEqual(theirs.decrypted, texts)
  assert.deepEqual(
    theirs.tokens.map((token) => fernet.decrypt(token)),
    texts,
  )
  const newest = new Fernet(keys.split(',')[0] as string, systemClock)
  assert.deepEqual(
    theirs.rotated.map((token) => newest.decrypt(token)),
    texts,
  )
})

test('files that the command line of Airflow exports are imported', () => {
  for (const [format, file] of [
    ['json', 'json'],
    ['yaml', 'yaml'],
    ['env', 'env'],
    ['env', 'envJson'],
  ] as const) {
    const { found } = importConnections(parseEntries(theirs.exports[file], format))
    for (const one of found) {
      const expected = connections[Number(one.id.slice(1))] as Connection
      const fields = file === 'env' ? theirs.readAgain[Number(one.id.slice(1))] : fieldsOf(expected)
      assert.deepEqual(nulled(fieldsOf(one)), nulled(fields as Fields), `${file} ${one.id}`)
      if (file !== 'env') assert.equal(one.description, expected.description)
    }
    assert.equal(found.length, CASES)
  }
  const meant = (one: Variable) => ({
    ...one,
    value: /^[[{\d"]|^true$/.test(one.value) ? JSON.parse(one.value === '007' ? '"007"' : one.value) : one.value,
  })
  const { found } = importVariables(parseEntries(theirs.exports.variables, 'json'))
  const byKey = new Map(found.map((one) => [one.key, one]))
  for (const one of VARIABLES) assert.deepEqual(meant(byKey.get(one.key) as Variable), meant(one), one.key)
})

test('Airflow imports the files that we export', () => {
  for (const one of connections) {
    assert.deepEqual(theirs.imported.connections[one.id], fieldsOf(one))
    assert.deepEqual(nulled(theirs.imported.lines[one.id] as object), nulled(fieldsOf(one)))
  }
  assert.deepEqual(Object.keys(theirs.imported.variables).sort(), VARIABLES.map(({ key }) => key).sort())
})
