/** The routes of the platform as requests that can be sent, and which of them are open to everybody. */
import type { Route } from '../../packages/platform/src/composition/server.ts'

export interface Address {
  /** `METHOD PATH` as the router has it, or as the registry's table reads it. */
  readonly route: string
  readonly method: string
  readonly path: string
}

/** Whoever adds a line here opens a door to the whole machine: only what says nothing of anybody's data may be open. */
const OPEN: readonly string[] = [
  'GET /health',
  'GET /version',
  'GET /api/v2/version',
  'GET /api/v2/monitor/health',
  'GET /api/3.0/mlflow/server-info',
  'GET /ajax-api/3.0/mlflow/server-info',
  'POST /auth/token',
  'POST /auth/token/cli',
  'GET /api/v2/auth/login',
  'GET /api/v2/auth/logout',
  'POST /auth/login',
  'POST /auth/logout',
  // The page, which holds no data, and the redirect to a service's address with a slash at its end.
  'GET /*',
  'ALL /services/:service',
  // Passes on whatever is not addressed to NAME.localhost.
  'ALL /*',
  // "No such endpoint", for clients of newer versions.
  'ALL /api/v2/*',
  ...['/api', '/ajax-api'].flatMap((prefix) => ['2.0/mlflow', '2.0/mlflow-artifacts', '3.0/mlflow'].map((api) => `ALL ${prefix}/${api}/*`)),
]

/** Needs a login and no permission. */
export const FOR_ANYBODY_LOGGED_IN: readonly string[] = ['GET /auth/me', 'PATCH /auth/me']

/** What a parameter with a pattern of its own takes. */
const SAMPLES: Readonly<Record<string, string>> = {
  ':call{[^/]+:[a-z]+}': 'x:stop',
  ':call{jobs:submit}': 'jobs:submit',
  ':call{[^/:]+:cancel}': 'x:cancel',
}

/** The registry reads its paths itself, because the names of images hold slashes. */
const REGISTRY = [
  ...['GET', 'HEAD', 'PUT', 'DELETE'].map((method) => [method, '/v2/team/image/manifests/latest']),
  ...['GET', 'HEAD', 'DELETE'].map((method) => [method, `/v2/team/image/blobs/sha256:${'0'.repeat(64)}`]),
  ['POST', '/v2/team/image/blobs/uploads/'],
  ...['GET', 'PATCH', 'PUT', 'DELETE'].map((method) => [method, '/v2/team/image/blobs/uploads/1']),
  ['GET', '/v2/team/image/tags/list'],
  ['GET', `/v2/team/image/referrers/sha256:${'0'.repeat(64)}`],
] as const

/** One request for each route that is not open to everybody. Throws for an open one that does not exist any more. */
export function guarded(routes: readonly Route[]): Address[] {
  const known = new Map(routes.map(({ method, path }) => [`${method} ${path}`, { method, path }]))
  const gone = OPEN.filter((route) => !known.has(route))
  if (gone.length > 0) throw new Error(`These routes are listed as open and do not exist: ${gone.join(', ')}. Take them off the list.`)
  const found = [...known].filter(([route]) => !OPEN.includes(route)).flatMap(([route, { method, path }]) => addressOf(route, method, path))
  return [...found, ...REGISTRY.map(([method = '', path = '']) => ({ route: `${method} ${path}`, method, path }))]
}

function addressOf(route: string, method: string, path: string): Address[] {
  const filled = path.replace(/:\w+\{.*?\}(?=\/|$)/g, (parameter) => {
    const sample = SAMPLES[parameter]
    if (!sample) throw new Error(`Give a sample for the parameter ${parameter} of ${route}.`)
    return sample
  })
  const plain = filled
    .replace(/:(?=\w+(\/|$))\w+/g, (parameter, _end, at: number) => (filled[at - 1] === '/' ? 'x' : parameter))
    .replace(/\*$/, 'x')
  const send = { route, method: method === 'ALL' ? 'GET' : method, path: plain }
  // The permission depends on what git wants to do.
  if (path.endsWith('/info/refs'))
    return ['git-upload-pack', 'git-receive-pack'].map((service) => ({
      ...send,
      route: `${route} ${service}`,
      path: `${plain}?service=${service}`,
    }))
  return [send]
}
