/** The hub that a connection of the platform names. */
import type { Connection } from '@daggerboard/dag'
import { EngieHub, type HubAddress } from './engie-hub.ts'
import { startStandIn } from './stand-in.ts'

export const HUB_CONNECTION = 'engie_hub'

export interface OpenHub {
  readonly hub: EngieHub
  close(): Promise<void>
}

/**
 * A connection of type http: host, port, `schema` (`https` …), an API key as its password, `dataset` in its extra. With `stand_in: true` in its extra
 * the stand-in of this project answers at an address of its own, for as long as the hub is open.
 */
export async function openHub(connection: Connection): Promise<OpenHub> {
  if (connection.extra.stand_in !== true) return { hub: new EngieHub(addressOf(connection)), close: async () => {} }
  const { endpoint, close } = await startStandIn()
  return { hub: new EngieHub({ endpoint }), close }
}

export function addressOf({ type, host, port, schema, password, extra }: Connection): HubAddress {
  const protocol = schema || (type === 'https' ? 'https' : 'http')
  const start = host?.includes('://') ? host : `${protocol}://${host ?? ''}`
  return {
    endpoint: port === null ? start : `${start}:${port}`,
    dataset: typeof extra.dataset === 'string' ? extra.dataset : null,
    apiKey: password,
  }
}
