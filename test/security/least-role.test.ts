/** Every route of Airflow's API and of the accounts asks for the least role that Airflow's simple auth manager asks for. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { ROLE_PERMISSIONS, type Role } from '../../packages/platform/src/core/principal.ts'
import { FOR_ANYBODY_LOGGED_IN, guarded } from './routes.ts'
import { WholePlatform } from './whole-platform.ts'

const ROLES: readonly Role[] = ['viewer', 'user', 'op', 'admin']
const whole = new WholePlatform()
before(() => whole.start())
after(() => whole.remove())

/** The first that fits. */
const LEAST: readonly (readonly [route: RegExp, role: Role])[] = [
  [/^\w+ \/auth\/users/, 'admin'],
  [/^\w+ \/api\/v2\/(variables|connections|config)/, 'op'],
  [/^\w+ \/api\/v1\/fernetKey/, 'op'],
  [/^(GET|HEAD) /, 'viewer'],
  // Lists that are asked for with a body.
  [/^POST \/api\/v2\/dags\/.*\/list$/, 'viewer'],
  [/^\w+ \/api\/v2\/(pools|backfills|assets)/, 'op'],
  [/^DELETE \/api\/v2\/dags\/.*queuedEvents$/, 'op'],
  [/^\w+ \/api\/v2\/(dags|parseDagFile)/, 'user'],
]

test('each route is open from the role on that Airflow asks for, and to none below', async () => {
  const wrong: string[] = []
  let walked = 0
  for (const { route, method, path } of guarded(whole.platform.routes)) {
    if (!/ \/(api\/v2|auth|api\/v1\/(live|fernetKey))/.test(route) || FOR_ANYBODY_LOGGED_IN.includes(route)) continue
    const least = LEAST.find(([fits]) => fits.test(route))?.[1]
    if (least === undefined) {
      wrong.push(`${route}: say here which role it needs`)
      continue
    }
    walked++
    for (const role of ROLES) {
      const { status } = await whole.knock(path, {
        method,
        token: await whole.token(ROLE_PERMISSIONS[role]),
        ...(method === 'GET' ? {} : { body: '{}' }),
      })
      const isOpen = status !== 403 && status !== 401
      if (isOpen !== ROLES.indexOf(role) >= ROLES.indexOf(least)) wrong.push(`${route}: ${role} was answered ${status}`)
    }
  }
  assert.deepEqual(wrong, [])
  assert.ok(walked > 100, `${walked} routes`)
})
