import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { CommandShell } from '../end-to-end/command-shell.ts'

/** A task that knocks at the doors of the scheduler with the token that it was given for the services of the platform. */
const DAGS = `
import { dag } from '@daggerboard/dag'

export default dag('curious', {}, ({ task }) => {
  task('knock', async ({ connection }) => {
    const { password, extra } = await connection('google_cloud_default')
    const ask = async (method, path, body) =>
      (await fetch(extra.endpoint + path, { method, body: body && JSON.stringify(body), headers: { authorization: 'Bearer ' + password } })).status
    return {
      known: await ask('GET', '/v1/projects/daggerboard/builds'),
      refused: [
        await ask('GET', '/api/v2/dags'), await ask('POST', '/api/v2/dags/curious/dagRuns', { logical_date: null }),
        await ask('PATCH', '/api/v2/dags/curious', { is_paused: true }), await ask('GET', '/api/v2/variables'), await ask('GET', '/api/v2/connections'),
        await ask('PATCH', '/api/v2/pools/default_pool', { slots: 0 }), await ask('GET', '/auth/users'), await ask('GET', '/api/v2/config'),
        await ask('PATCH', '/auth/me', { old_password: 'x', password: 'battery staple' }), await ask('POST', '/api/v1/fernetKey/rotate', {}),
      ],
    }
  })
})
`

let shell: CommandShell
before(async () => {
  shell = await CommandShell.start(DAGS, { DAGGERBOARD__API__EXPOSE_CONFIG: 'true' })
  await shell.run('variables set COLOR red')
  await shell.run('connections add shop --conn-uri http://me:hunter22@shop')
})
after(() => shell?.remove())

/** The environment of a person of that role, logged in from a home of their own. */
async function loggedIn(role: string): Promise<Readonly<Record<string, string>>> {
  const { password } = await shell.data<{ password: string }>(`users create a-${role} --role ${role}`)
  const env = {
    DAGGERBOARD_HOME: `${shell.files}/${role}`,
    DAGGERBOARD_ENDPOINT: shell.endpoint,
    XDG_CONFIG_HOME: `${shell.files}/${role}`,
  }
  assert.equal((await shell.run(`login --username a-${role} --password-stdin`, { env, input: password })).status, 0)
  return env
}

/** Each of the commands ends with status 1, says which permission is missing, and tells nothing of what is kept. */
async function refused(env: Readonly<Record<string, string>>, commands: readonly string[]): Promise<void> {
  for (const words of commands) {
    const { status, out, err } = await shell.run(words, { env })
    assert.equal(status, 1, `${words}: ${out}`)
    assert.match(err, /needs the permission|No platform has ever run in|is not yours/, words)
    assert.doesNotMatch(out + err, /red|hunter22/, words)
  }
}

const READS_SECRETS = [
  'variables list --show-values',
  'variables get COLOR',
  'variables export -',
  'connections list',
  'connections get shop',
  'connections export -',
]
const CHANGES = ['pools set narrow 3', 'pools delete default_pool', 'connections delete shop', 'variables set COLOR blue']
const OF_USERS = ['users list', 'users create eve', 'users set-role admin viewer', 'users delete admin -y']

test('a viewer sees DAGs, and no value of a variable, a connection or the settings', async () => {
  const env = await loggedIn('viewer')
  assert.equal((await shell.run('dags list', { env })).status, 0)
  await refused(env, [...READS_SECRETS, ...CHANGES, ...OF_USERS, 'dags trigger curious', 'dags pause curious', 'dags delete curious -y'])
  const config = await fetch(`${shell.endpoint}/api/v2/config`, { headers: { authorization: `Bearer ${await tokenOf(env)}` } })
  assert.equal(config.status, 403)
})

test('a user runs DAGs, and changes no pool, connection or user', async () => {
  const env = await loggedIn('user')
  assert.equal((await shell.run('dags trigger curious --run-id by-user --wait', { env })).status, 0)
  await refused(env, [...READS_SECRETS, ...CHANGES, ...OF_USERS])
})

test('an op changes connections and pools, and no user', async () => {
  const env = await loggedIn('op')
  assert.equal((await shell.run('pools set narrow 3', { env })).status, 0)
  assert.match((await shell.run('connections get shop', { env })).out, /password +\| \*\*\*/)
  await refused(env, OF_USERS)
  // The clear text is for the owner of the home alone.
  const clear = await shell.run('connections get shop --show-values', { env })
  assert.deepEqual([clear.status, /hunter22/.test(clear.out + clear.err)], [1, false])
})

test('the token of a task opens the services that operators drive, and nothing of the scheduler', async () => {
  assert.equal((await shell.run('dags trigger curious --run-id by-admin --wait')).status, 0)
  const { token, endpoint } = { token: await shell.platform.token(shell.endpoint), endpoint: shell.endpoint }
  const path = '/api/v2/dags/curious/dagRuns/by-admin/taskInstances/knock/xcomEntries/return_value'
  const { value } = (await (await fetch(endpoint + path, { headers: { authorization: `Bearer ${token}` } })).json()) as {
    value: { known: number; refused: number[] }
  }
  assert.equal(value.known, 200)
  assert.deepEqual(value.refused, Array(10).fill(403))
})

test('people change their own password, and whoever has an older login is out', async () => {
  const env = await loggedIn('admin')
  const [before] = [await tokenOf(env)]
  const { password } = await shell.data<{ password: string }>('users create own --role user')
  const own = { ...env, XDG_CONFIG_HOME: `${shell.files}/own` }
  const log = (given: string) => shell.run('login --username own --password-stdin', { env: own, input: given })
  assert.equal((await log(password)).status, 0)
  const old = await tokenOf(own)
  assert.equal((await shell.run('change-password --password-stdin', { env: own, input: `wrong\nbattery staple\n` })).status, 1)
  assert.match(
    (await shell.run('change-password --password-stdin', { env: own, input: `${password}\nbattery staple\n` })).out,
    /password of own is changed/,
  )
  assert.equal((await shell.run('dags list', { env: own })).status, 0)
  assert.equal((await shell.run('dags list', { env: { ...own, DAGGERBOARD_TOKEN: old } })).status, 1)
  assert.equal((await shell.run('dags list', { env: { ...own, DAGGERBOARD_TOKEN: before } })).status, 0)
  assert.equal((await log(password)).status, 1)
  assert.equal((await log('battery staple')).status, 0)
})

async function tokenOf(env: Readonly<Record<string, string>>): Promise<string> {
  const { readLogins } = await import('../../packages/platform/src/cli/access.ts')
  return readLogins(env)[shell.endpoint] ?? ''
}
