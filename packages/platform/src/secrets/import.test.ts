import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AppError } from '../core/app-error.ts'
import type { Connection } from './connection.ts'
import { type EntriesFormat, parseEntries } from './entries.ts'
import { exportConnections, exportVariables, importConnections, importVariables } from './import.ts'
import type { Variable } from './variable.ts'

const problemsOf = (work: () => unknown): readonly string[] => {
  try {
    work()
  } catch (error) {
    assert.ok(error instanceof AppError && error.code === 'invalid')
    return error.problems
  }
  throw new Error('Nothing was refused.')
}

const CONNECTION: Connection = {
  ...{ id: 'db', type: 'postgres', host: 'h', port: 5432, schema: 's', login: 'me', password: 'hunter22', description: 'of the shop' },
  extra: { sslmode: 'require' },
}

test('variables of Airflow’s export: values, values with a description, and what is no text as JSON', () => {
  const entries = parseEntries(
    '{"a": "1", "b": {"value": "x", "description": "d"}, "c": {"value": 1, "unit": "m"}, "d": 7, "e": [1], "f": "***"}',
    'json',
  )
  assert.deepEqual(importVariables(entries), {
    found: [
      { key: 'a', value: '1', description: null },
      { key: 'b', value: 'x', description: 'd' },
      { key: 'c', value: '{"value":1,"unit":"m"}', description: null },
      { key: 'd', value: '7', description: null },
      { key: 'e', value: '[1]', description: null },
    ],
    masked: ['f'],
  })
})

test('connections of Airflow’s export: fields, URIs, JSON as a text, lists of one', () => {
  const text = `
db: {conn_type: postgres, description: of the shop, login: me, password: hunter22, host: h, port: 5432, schema: s, extra: '{"sslmode": "require"}'}
uri: http://me:pw@example.com:80/
json: '{"conn_type": "google-cloud-platform", "extra": {"project": "p"}}'
list: ["http://one"]
shown: {conn_type: http, password: "***"}
deep: {conn_type: http, extra: {token: "***"}}
`
  const { found, masked } = importConnections(parseEntries(text, 'yaml'))
  assert.deepEqual(found[0], CONNECTION)
  assert.deepEqual(
    found.map(({ id, type, host, port }) => [id, type, host, port]),
    [
      ['db', 'postgres', 'h', 5432],
      ['uri', 'http', 'example.com', 80],
      ['json', 'google_cloud_platform', null, null],
      ['list', 'http', 'one', null],
    ],
  )
  assert.deepEqual(masked, ['shown', 'deep'])
})

test('every problem is told at once, and no secret', () => {
  const connections = {
    'a b': 'http://host',
    c: { conn_typ: 'http', port: 'eighty', extra: '[hunter22]' },
    d: ['http://a', 'http://b'],
    e: 7,
    f: 'http://me:hunter22%@host',
    g: { uri: 'http://host', login: 'me' },
  }
  const problems = problemsOf(() => importConnections(connections))
  for (const words of [
    '"a b" must be',
    'no field "conn_typ". Did you mean "conn_type"?',
    'no conn_type',
    'port',
    'extra of connection "c"',
    '2 values',
    'neither a URI',
    '"%25"',
    'a uri and other fields',
  ])
    assert.ok(
      problems.some((problem) => problem.includes(words)),
      words,
    )
  assert.ok(!problems.join().includes('hunter22'))
  assert.equal(problemsOf(() => importVariables({ '': '1', ['k'.repeat(251)]: '1', d: { value: '1', description: 4 } })).length, 3)
})

test('a file is read with the lines of what is wrong in it, and nothing of its text', () => {
  assert.deepEqual(parseEntries('# comment\n\nA = 1=2\nB=\n', 'env'), { A: ' 1=2', B: '' })
  assert.deepEqual(
    problemsOf(() => parseEntries('A=1\nhunter22\nA=2', 'env')),
    ['Line 2 is not NAME=value.', 'Line 3: "A" is there twice.'],
  )
  assert.deepEqual(
    problemsOf(() => parseEntries('{"a": 1,\n "a": 2}', 'json')),
    ['Line 2: "a" is there twice.'],
  )
  assert.deepEqual(
    problemsOf(() => parseEntries('a: 1\nb: 2\na: 3', 'yaml')),
    ['Line 3: "a" is there twice.'],
  )
  assert.deepEqual(
    problemsOf(() => parseEntries('[1]', 'json')),
    ['It must be an object: {"NAME": …}.'],
  )
  assert.match(problemsOf(() => parseEntries('a: &x [1]\nb: *x', 'yaml'))[0] ?? '', /^Line 2: it refers to another place/)
  for (const [text, format] of [
    ['{"a": hunter22', 'json'],
    ['a: "hunter22', 'yaml'],
  ] as const) {
    const problems = problemsOf(() => parseEntries(text, format))
    assert.ok(problems.length > 0 && !problems.join().includes('hunter22'))
  }
})

test('what is exported is imported as it was', () => {
  const variables: Variable[] = [
    { key: 'a', value: '007', description: null },
    { key: 'b', value: '{"rows":3}', description: 'd' },
    { key: 'c', value: 'true', description: null },
    { key: 'd', value: '{broken', description: null },
  ]
  const connections: Connection[] = [CONNECTION, { ...CONNECTION, id: 'sock', host: '/tmp/x y', port: null, extra: { a: { b: [1] } } }]
  const written = (entries: object, format: EntriesFormat): string =>
    format === 'env'
      ? Object.entries(entries)
          .map(([name, value]) => `${name}=${value}\n`)
          .join('')
      : JSON.stringify(entries)
  for (const format of ['json', 'yaml', 'env'] as const) {
    const isEnv = format === 'env'
    assert.deepEqual(
      importVariables(parseEntries(written(exportVariables(variables, format), format), format)).found,
      isEnv ? variables.map((variable) => ({ ...variable, description: null })) : variables,
    )
    assert.deepEqual(
      importConnections(parseEntries(written(exportConnections(connections, format), format), format)).found,
      isEnv ? connections.map((connection) => ({ ...connection, description: null })) : connections,
    )
  }
})

test('a list whose elements carry their names is read as an object is', () => {
  assert.deepEqual(parseEntries('[{"name": "gpu", "slots": 2}]', 'json', 'name'), { gpu: { slots: 2 } })
  assert.throws(
    () => parseEntries('[{"slots": 2}, {"name": "a"}, {"name": "a"}]', 'json', 'name'),
    (error: AppError) => {
      assert.deepEqual(error.problems, ['Element 1 of the list has no "name".', 'Element 3 of the list: "a" is there twice.'])
      return true
    },
  )
})
