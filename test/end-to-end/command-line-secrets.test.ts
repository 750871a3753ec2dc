import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { newFernetKey } from '../../packages/platform/src/secrets/fernet.ts'
import { type Answer, CommandShell, type Given } from './command-shell.ts'
import { RunningPlatform } from './running-platform.ts'

const DAGS = `
import { dag, Defer } from '@daggerboard/dag'
export default dag('waits', {}, ({ task }) => {
  task('a', {
    name: 'Remote', args: {}, run: async () => { throw new Defer({ trigger: 'look', args: { token: 'hunter22-of-the-wait' } }) },
    triggers: { look: ({ token }, { signal, variable }) => new Promise((done, fail) => {
      signal.addEventListener('abort', () => fail(signal.reason))
      const look = async () => ((await variable('GO')) === 'yes' ? done(token.length) : setTimeout(look, 50))
      void look()
    }) },
  })
})
`

/** As Airflow 3 writes them. */
const EXPORTED = {
  'variables.json': '{"color": "red", "shape": {"value": {"corners": 3}, "description": "of the leaf"}, "count": 7, "zip": "007"}',
  'connections.json':
    '{"shop": {"conn_type": "postgres", "description": "of the shop", "login": "me", "password": "hunter22", "host": "db", "port": 5432, "schema": "shop", "extra": "{\\"sslmode\\": \\"require\\"}"}, "uri": "http://me:pw%40x@example.com:80/?token=t"}',
  'pools.json':
    '{"narrow": {"slots": 2, "description": "", "include_deferred": true}, "wide": {"slots": -1, "description": "d", "include_deferred": false}}',
}

const [oldKey, newKey] = [newFernetKey(), newFernetKey()]
let shell: CommandShell
before(async () => {
  shell = await CommandShell.start(DAGS, { DAGGERBOARD__CORE__FERNET_KEY: oldKey, DAGGERBOARD_LOAD_EXAMPLES: 'false' })
  for (const [name, text] of Object.entries(EXPORTED)) await writeFile(join(shell.files, name), text)
})
after(() => shell?.remove())

const key = (value: string) => ({ DAGGERBOARD__CORE__FERNET_KEY: value })
const daggerboard = (words: string | readonly string[], given: Given = {}): Promise<Answer> =>
  shell.run(words, { ...given, env: { ...key(oldKey), ...given.env } })
const file = (name: string) => join(shell.files, name)

test('files that Airflow has exported come in, and go out as they were', async () => {
  assert.equal((await daggerboard(`variables import ${file('variables.json')}`)).out, '4 variables imported.\n')
  assert.equal((await daggerboard(`connections import ${file('connections.json')}`)).out, '2 connections imported.\n')
  assert.equal((await daggerboard(`pools import ${file('pools.json')}`)).out, '2 pools imported.\n')
  assert.equal((await daggerboard('variables get zip')).out, '007\n')

  await daggerboard(`variables export ${file('out.json')} --show-values`)
  assert.deepEqual(JSON.parse(await readFile(file('out.json'), 'utf8')), { ...JSON.parse(EXPORTED['variables.json']), count: '7' })
  await daggerboard(`connections export ${file('out.json')} --show-values`)
  const { shop } = JSON.parse(await readFile(file('out.json'), 'utf8'))
  assert.deepEqual(
    { ...shop, extra: JSON.parse(shop.extra) },
    { ...JSON.parse(EXPORTED['connections.json']).shop, extra: { sslmode: 'require' } },
  )
  await daggerboard(`pools export ${file('out.json')}`)
  const { default_pool: _, ...pools } = JSON.parse(await readFile(file('out.json'), 'utf8'))
  assert.deepEqual(pools, JSON.parse(EXPORTED['pools.json']))
})

test('connections go out as URIs, a line each, and come in again', async () => {
  const { out } = await daggerboard('connections export - --file-format env --show-values')
  assert.match(out, /^shop=postgres:\/\/me:hunter22@db:5432\/shop\?sslmode=require$/m)
  assert.match(out, /^uri=http:\/\/me:pw%40x@example\.com:80\/\?token=t$/m)
  await daggerboard('connections delete shop')
  assert.match((await daggerboard('connections import - --file-format env', { input: out })).out, /connections imported/)
  assert.match((await daggerboard('connections get shop --show-values')).out, /password +\| hunter22/)
  const masked = (await daggerboard('connections export - --file-format env')).out
  assert.doesNotMatch(masked, /hunter22/)
  assert.match(
    (await daggerboard('connections import - --file-format env', { input: masked })).err,
    /2 are masked in the file and left out: shop, uri/,
  )
})

test('everything that is wrong with a file is said at once, without its values, and nothing comes in', async () => {
  const wrong = '{"good": "http://h", "a b": "http://h", "c": {"conn_typ": "http", "password": "hunter22"}, "d": 7}'
  const { status, err } = await daggerboard('connections import -', { input: wrong })
  assert.equal(status, 1)
  for (const words of [/nothing was changed/, /"a b" must be/, /no field "conn_typ"\. Did you mean "conn_type"/, /"d" is neither a URI/])
    assert.match(err, words)
  assert.doesNotMatch(err, /hunter22/)
  assert.equal((await daggerboard('connections get good')).status, 1)
  const pools = await daggerboard('pools import -', { input: '{"a": {"slot": 1}, "b": {"slots": -2}}' })
  assert.equal(pools.err.match(/ {2}- Pool/g)?.length, 3)
  assert.match((await daggerboard('variables import -', { input: '{"a": 1,\n"a": 2}' })).err, /Line 2: "a" is there twice/)
})

test('after a rotation the new key alone reads variables, connections and what deferred tasks wait with', {
  timeout: 120_000,
}, async () => {
  await daggerboard('variables set GO no')
  await daggerboard('dags trigger waits --run-id r')
  await shell.until(async () => ((await daggerboard('tasks state waits a r')).out === 'deferred\n' ? true : null))

  const both = key(`${newKey},${oldKey}`)
  const early = await daggerboard('rotate-fernet-key', { env: both })
  assert.equal(early.status, 1)
  assert.match(early.err, /runs with one Fernet key.*Start it again/)

  const { home } = shell.platform
  const environment = { DAGGERBOARD_DAGS_FOLDER: shell.dagsFolder, DAGGERBOARD_LOAD_EXAMPLES: 'false' }
  await shell.platform.stop()
  assert.match((await daggerboard('rotate-fernet-key')).err, /no new Fernet key/)
  // Half of it while none runs, and all of it on one that does.
  const alone = await daggerboard('rotate-fernet-key -o json', { env: both })
  assert.deepEqual(JSON.parse(alone.out), { variables: 5, connections: 3, waits: 1 })
  const running = await RunningPlatform.start(['start'], { home, environment: { ...environment, ...both } })
  try {
    await running.endpoint()
    const counts = JSON.parse((await daggerboard('rotate-fernet-key -o json', { env: both })).out)
    assert.deepEqual({ ...counts }, { variables: 5, connections: 3, waits: 1 })
  } finally {
    await running.stop()
  }

  const after = await RunningPlatform.start(['start'], { home, environment: { ...environment, ...key(newKey) } })
  try {
    await after.endpoint()
    const env = key(newKey)
    assert.match((await daggerboard('connections get shop --show-values', { env })).out, /hunter22/)
    assert.equal((await daggerboard('variables set GO yes', { env })).status, 0)
    await shell.until(async () => ((await daggerboard('tasks state waits a r', { env })).out === 'success\n' ? true : null))
    assert.match((await daggerboard('connections get shop --show-values', { env: key(oldKey) })).err, /none of the Fernet keys/)
  } finally {
    await after.stop()
  }
})
