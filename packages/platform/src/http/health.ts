/** Whether the platform answers: for load balancers and for whoever waits for its start. */
import { createDoor, type Door } from './door.ts'

/** `GET /health`, open to strangers. */
export function healthDoor({ version }: { readonly version: string }): Door {
  const door = createDoor()
  door.get('/health', (c) => c.json({ status: 'ok', version }))
  return door
}
