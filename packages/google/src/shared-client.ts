/** Google's clients, one for each address and shared by all tasks of the process that use it: making one takes long. Each call says for itself who asks. */
import type { Connection, TaskContext } from '@daggerboard/dag'
import { asAny, DEFAULT_CONNECTION, dataprocOptions, type PlaceArgs, placeOf, sharedOptions } from './client-options.ts'

export interface ConnectionArgs extends PlaceArgs {
  /** Default `google_cloud_default`. */
  readonly connectionId?: string
}

/** Of a task's args those that say where and as whom. */
export const connectionArgs = ({ connectionId, projectId, region }: ConnectionArgs): ConnectionArgs => ({
  ...(connectionId && { connectionId }),
  ...(projectId && { projectId }),
  ...(region && { region }),
})

/** How one of Google's clients is made. */
export interface ClientKind<Client> {
  readonly name: string
  /** Whether it has an address for each region. */
  readonly isRegional: boolean
  make(options: ReturnType<typeof asAny>): Promise<Client>
}

/** A client as one task uses it. */
export interface ClientUse<Client> {
  readonly client: Client
  readonly place: { readonly projectId: string; readonly region: string }
  /** Options of a call: the credentials of the task. */
  as(): Promise<CallOptions>
}

interface CallOptions {
  readonly otherArgs?: { readonly headers: Readonly<Record<string, string>> }
}

interface Closable {
  close(): Promise<void>
}

/** What a task is given to get in with may end or change: it is asked for anew after so long. */
const FRESH_MS = 600_000

const clients = new Map<string, { readonly client: Promise<Closable>; users: number }>()

/** The client is closed when nobody uses it any more. Throws when the connection names no project or no address. */
export async function withClient<Client extends Closable, T>(
  kind: ClientKind<Client>,
  args: ConnectionArgs,
  context: TaskContext,
  work: (use: ClientUse<Client>) => Promise<T>,
): Promise<T> {
  const ask = () => context.connection(args.connectionId || DEFAULT_CONNECTION)
  let connection = await ask()
  let askedAt = performance.now()
  const place = placeOf(connection, args)
  const as = async (): Promise<CallOptions> => {
    if (performance.now() - askedAt > FRESH_MS) {
      connection = await ask()
      askedAt = performance.now()
    }
    return credentialsOf(connection)
  }
  const options = await sharedOptions(connection)
  const key = JSON.stringify([kind.name, { ...options, authClient: null }, kind.isRegional && place.region])
  const made = () => kind.make(asAny(kind.isRegional ? dataprocOptions(options, place.region) : options))
  const entry = clients.get(key) ?? { client: made(), users: 0 }
  clients.set(key, entry)
  entry.users += 1
  try {
    return await work({ client: (await entry.client) as Client, place, as })
  } finally {
    entry.users -= 1
    if (entry.users === 0) {
      clients.delete(key)
      await (await entry.client.catch(() => null))?.close()
    }
  }
}

/** Only a connection with an endpoint brings a token: Google's own credentials are the client's affair. */
function credentialsOf({ extra, password }: Connection): CallOptions {
  return extra.endpoint ? { otherArgs: { headers: { authorization: `Bearer ${password}` } } } : {}
}
