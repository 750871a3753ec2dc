/** Deployed services, behind Cloud Run's protocol, and the traffic to them. */
import { ProcessRevisions } from '../adapters/process/revision.ts'
import { SqliteRevisionStore } from '../adapters/sqlite/revision.ts'
import { SqliteServiceStore } from '../adapters/sqlite/service.ts'
import { ingressDoor } from '../http/ingress/ingress-door.ts'
import { runDoor } from '../http/run/run-door.ts'
import { Fleet } from '../services/fleet.ts'
import { isAtWork } from '../services/revision.ts'
import { Services } from '../services/services.ts'
import type { Ground, Part } from './part.ts'

export interface ServicesPart extends Part {
  /** Mounted before all other doors: a request to `SERVICE.localhost` is the service's, whatever its path. */
  readonly ingress: Part
}

export function composeServices({ db, home, clock, events, tokens, logger, endpoint }: Ground): ServicesPart {
  const revisions = new SqliteRevisionStore(db)
  const driver = new ProcessRevisions({ home: home.folder('revisions'), endpoint, tokens, clock })
  const fleet = new Fleet({ driver, revisions, tokens, endpoint, events, clock, logger })
  const services = new Services({ store: new SqliteServiceStore(db), revisions, driver, fleet, endpoint, events, clock, logger })
  const revision = async (id: string) => {
    const found = await revisions.find(id.slice(id.indexOf('/') + 1))
    return found !== null && isAtWork(found)
  }
  return {
    doors: [runDoor({ services })],
    services: [services],
    lives: { revision },
    ingress: { doors: [ingressDoor({ services })] },
  }
}
