/** How Google's clients reach the system behind a connection: the platform's own services, or Google. */
import type { Connection } from '@daggerboard/dag'
import type { AuthClient } from 'google-auth-library'

export const DEFAULT_CONNECTION = 'google_cloud_default'
const DEFAULT_REGION = 'us-central1'

/** What the constructors of Google's clients take. `fallback` chooses REST, so that one code path serves every endpoint. */
export interface ClientOptions {
  readonly fallback: true
  readonly projectId?: string
  readonly apiEndpoint?: string
  readonly port?: number
  readonly protocol?: 'http' | 'https'
  readonly authClient?: AuthClient
}

/**
 * With an `endpoint` in the connection's extra: that address, with the connection's password as access token. Without: Google, with application default
 * credentials. Throws when the endpoint is not an address.
 */
export async function clientOptions(connection: Connection): Promise<ClientOptions> {
  const options = addressOptions(connection)
  if (!options.apiEndpoint) return options
  const { OAuth2Client } = await import('google-auth-library')
  const authClient = new OAuth2Client()
  authClient.setCredentials({ access_token: connection.password })
  return { ...options, authClient }
}

/** The same for a client that several tasks share: with an endpoint, each call brings its own credentials. */
export async function sharedOptions(connection: Connection): Promise<ClientOptions> {
  const options = addressOptions(connection)
  if (!options.apiEndpoint) return options
  const { PassThroughClient } = await import('google-auth-library')
  return { ...options, authClient: new PassThroughClient() }
}

function addressOptions(connection: Connection): ClientOptions {
  const projectId = text(connection.extra.project)
  const endpoint = text(connection.extra.endpoint)
  const base = { fallback: true as const, ...(projectId ? { projectId } : {}) }
  if (!endpoint) return base
  if (!URL.canParse(endpoint))
    throw new Error(
      `Connection "${connection.id}" has the endpoint "${endpoint}", which is not an address. Write one such as http://127.0.0.1:8080.`,
    )
  const { protocol, hostname, port } = new URL(endpoint)
  const secure = protocol === 'https:'
  return {
    ...base,
    apiEndpoint: hostname,
    port: Number(port) || (secure ? 443 : 80),
    protocol: secure ? 'https' : 'http',
  }
}

export interface PlaceArgs {
  readonly projectId?: string
  readonly region?: string
}

/** Project and region: of the task, else of the connection. Throws when there is no project. */
export function placeOf(connection: Connection, args: PlaceArgs): { projectId: string; region: string } {
  const projectId = args.projectId || text(connection.extra.project)
  if (!projectId)
    throw new Error(`No project is known: give projectId to the task, or "project" to the extra of connection "${connection.id}".`)
  return { projectId, region: args.region || text(connection.extra.region) || DEFAULT_REGION }
}

/** Dataproc has an address for each region. */
export function dataprocOptions(options: ClientOptions, region: string): ClientOptions {
  return options.apiEndpoint ? options : { ...options, apiEndpoint: `${region}-dataproc.googleapis.com` }
}

/** Google's packages bring several versions of the same auth classes; their shapes agree, their types do not. */
// biome-ignore lint/suspicious/noExplicitAny: see above.
export const asAny = (options: ClientOptions): any => options

const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined)
