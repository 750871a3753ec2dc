/** Deploying: a change of a service becomes a revision, the revision becomes ready, and only then takes the traffic. */
import { AppError, didYouMean, messageOf } from '../core/app-error.ts'
import type { Clock } from '../core/clock.ts'
import type { Events } from '../core/events.ts'
import { newId } from '../core/id.ts'
import { type Logger, silentLogger } from '../core/logger.ts'
import type { Service } from '../core/service.ts'
import { type DeployRequest, planChange } from './change.ts'
import type { Fleet, Lease } from './fleet.ts'
import type { Revision, RevisionDriver } from './revision.ts'
import { checkService, type DeployedService, type Operation, type RevisionStore, type ServiceStore } from './service.ts'
import { pickRevision, type Share, sharesOf } from './traffic.ts'

export interface ServicesOptions {
  readonly store: ServiceStore
  readonly revisions: RevisionStore
  readonly driver: RevisionDriver
  readonly fleet: Fleet
  /** The platform's address: services live at `ENDPOINT/services/NAME`. */
  readonly endpoint: string
  readonly events: Events
  readonly clock: Clock
  readonly logger?: Logger
  /** How many stopped revisions of each service keep their files, the newest ones; older ones are fetched again when they are rolled back to. */
  readonly unpackedRevisions?: number
}

const UNPACKED_REVISIONS = 5

export class Services implements Service {
  #store: ServiceStore
  #revisions: RevisionStore
  #driver: RevisionDriver
  #fleet: Fleet
  #endpoint: string
  #events: Events
  #clock: Clock
  #logger: Logger
  #unpackedRevisions: number
  /** Who answers, by service: what the ingress reads for every request. */
  #routes = new Map<string, DeployedService>()
  /** The change of each service that is under way; a newer one ends it. */
  #changes = new Map<string, { abort: AbortController; done: Promise<void> }>()

  #turns = new Map<string, Promise<void>>()

  constructor(options: ServicesOptions) {
    const {
      store,
      revisions,
      driver,
      fleet,
      endpoint,
      events,
      clock,
      logger = silentLogger,
      unpackedRevisions = UNPACKED_REVISIONS,
    } = options
    this.#store = store
    this.#revisions = revisions
    this.#driver = driver
    this.#fleet = fleet
    this.#endpoint = endpoint
    this.#events = events
    this.#clock = clock
    this.#logger = logger
    this.#unpackedRevisions = unpackedRevisions
  }

  /** Starts what had traffic, and goes on with changes that were under way. Resolves before they are ready. */
  async start(): Promise<void> {
    await this.#driver.sweep()
    for (const service of await this.#store.list()) {
      this.#routes.set(service.name, service)
      for (const { revision } of service.serving) this.#fleet.keep(revision)
      // What drained when the last process ended has ended with it.
      for (const { name, state } of await this.#revisions.list(service.name))
        if ((state === 'ready' || state === 'draining') && !service.serving.some(({ revision }) => revision === name))
          await this.#fleet.retire(name, 0)
    }
    const pending = await this.#store.listPending()
    for (const operation of pending) {
      const isLast = pending.findLast(({ service }) => service === operation.service) === operation
      if (isLast) this.#begin(operation)
      else await this.#store.save({ operation: { ...operation, isDone: true, error: REPLACED } })
    }
  }

  async stop(): Promise<void> {
    for (const { abort } of this.#changes.values()) abort.abort(STOPPING)
    await Promise.all([...this.#changes.values()].map(({ done }) => done))
    await this.#fleet.close()
  }

  /** Throws `not_found`. */
  async find(name: string): Promise<DeployedService> {
    const service = await this.#store.find(name)
    if (service) return service
    const names = (await this.#store.list()).map((known) => known.name)
    throw new AppError('not_found', `There is no service "${name}".${didYouMean(name, names)} Deploy it first.`)
  }

  list(): Promise<DeployedService[]> {
    return this.#store.list()
  }

  uriOf(name: string): string {
    return `${this.#endpoint}/services/${name}`
  }

  /** Creates the service, or changes it where it exists; a changed template makes a new revision. The change goes on in the background. */
  async deploy(request: DeployRequest): Promise<Operation> {
    const { name, spec, statesTemplate, by } = request
    checkService(name, spec)
    const image = statesTemplate ? await this.#driver.resolveImage(spec.template.image) : null
    const operation = await this.#exclusively(name, async () => {
      const existing = await this.#store.find(name)
      const change = await planChange(request, existing, image, { revisions: this.#revisions, driver: this.#driver, clock: this.#clock })
      const operation = this.#newOperation(name, existing ? 'update' : 'create', by)
      await this.#store.save({ ...change, operation })
      this.#routes.set(name, change.service)
      return operation
    })
    this.#begin(operation)
    return operation
  }

  /** Stops its revisions and forgets it, in the background. */
  async delete(name: string, by: string): Promise<Operation> {
    await this.find(name)
    const operation = this.#newOperation(name, 'delete', by)
    await this.#store.save({ operation })
    this.#begin(operation)
    return operation
  }

  async findOperation(id: string): Promise<Operation> {
    const operation = await this.#store.findOperation(id)
    if (operation) return operation
    throw new AppError('not_found', `There is no operation "${id}".`)
  }

  /** Resolves when the change has ended, well or not. */
  async settled(operation: Operation): Promise<Operation> {
    await this.#changes.get(operation.service)?.done
    return this.findOperation(operation.id)
  }

  async listRevisions(service: string): Promise<Revision[]> {
    await this.find(service)
    return this.#revisions.list(service)
  }

  async findRevision(service: string, name: string): Promise<Revision> {
    const revision = await this.#revisions.find(name)
    if (revision?.service === service) return revision
    const names = (await this.listRevisions(service)).map((known) => known.name)
    throw new AppError('not_found', `Service "${service}" has no revision "${name}".${didYouMean(name, names)}`)
  }

  /** Throws `conflict` for one that has traffic, or is the newest. */
  async deleteRevision(service: string, name: string): Promise<void> {
    const { serving, latestCreatedRevision } = await this.find(service)
    await this.findRevision(service, name)
    if (latestCreatedRevision === name || serving.some(({ revision }) => revision === name))
      throw new AppError('conflict', `Revision "${name}" cannot be deleted: it serves or is the newest. Deploy another one first.`)
    await this.#fleet.retire(name, 0)
    await this.#revisions.delete(name)
    await this.#driver.remove(name)
  }

  logFile(revision: string): string {
    return this.#driver.logFile(revision)
  }

  /** What the ingress knows of a service; null when there is none. */
  route(name: string): DeployedService | null {
    return this.#routes.get(name) ?? null
  }

  /** The right to send one request to the service; null while none of its revisions is ready. */
  acquire(name: string): Lease | null {
    const shares = this.#routes.get(name)?.serving ?? []
    const chosen = pickRevision(shares, Math.random())
    const lease = chosen === null ? null : this.#fleet.acquire(chosen)
    if (lease) return lease
    // Where traffic is divided, the others answer for one that has crashed.
    for (const { revision } of shares) {
      const other = this.#fleet.acquire(revision)
      if (other) return other
    }
    return null
  }

  #newOperation(service: string, kind: Operation['kind'], by: string): Operation {
    return { id: newId(), service, kind, createdBy: by, createdAt: this.#clock.now().toISOString(), isDone: false, error: null }
  }

  #begin(operation: Operation): void {
    const previous = this.#changes.get(operation.service)
    previous?.abort.abort(REPLACED)
    const abort = new AbortController()
    const done = (previous?.done ?? Promise.resolve()).then(() => this.#carryOut(operation, abort.signal))
    const change = { abort, done }
    this.#changes.set(operation.service, change)
    void done.finally(() => this.#changes.get(operation.service) === change && this.#changes.delete(operation.service))
  }

  async #carryOut(operation: Operation, signal: AbortSignal): Promise<void> {
    try {
      if (operation.kind === 'delete') await this.#remove(operation.service)
      else await this.#reconcile(operation.service, signal)
      await this.#store.save({ operation: { ...operation, isDone: true } })
    } catch (error) {
      // A platform that stops leaves the change to its next start.
      if (signal.aborted && signal.reason === STOPPING) return
      const message = signal.aborted ? REPLACED : messageOf(error)
      await this.#exclusively(operation.service, async () => {
        const service = await this.#store.find(operation.service)
        const failed = service && !signal.aborted && this.#withCondition(service, 'failed', message)
        if (failed) this.#routes.set(failed.name, failed)
        await this.#store.save({ ...(failed && { service: failed }), operation: { ...operation, isDone: true, error: message } })
      })
    }
  }

  async #reconcile(name: string, signal: AbortSignal): Promise<void> {
    const service = await this.find(name)
    const latest = service.latestCreatedRevision
    const shares = sharesOf(service.traffic, latest)
    for (const revision of new Set([latest, ...shares.map((share) => share.revision)])) {
      const isWanted = shares.some((share) => share.revision === revision)
      // A revision that gets no traffic is tried once, so that its service knows whether it would be ready.
      const isUntried = (await this.#revisions.find(revision))?.state === 'deploying'
      if (isWanted || isUntried) await this.#fleet.ensureReady(revision, signal)
    }
    await this.#exclusively(name, async () => {
      signal.throwIfAborted()
      await this.#switch(service, shares)
    })
  }

  /** From one request to the next, the new shares answer; then the others drain. */
  async #switch(service: DeployedService, shares: readonly Share[]): Promise<void> {
    const { latestCreatedRevision } = service
    const isReady = (await this.#revisions.find(latestCreatedRevision))?.state === 'ready'
    const latestReadyRevision = isReady ? latestCreatedRevision : service.latestReadyRevision
    const switched = this.#withCondition({ ...service, serving: shares, latestReadyRevision }, 'succeeded', 'The service is ready.')
    await this.#store.save({ service: switched })
    this.#routes.set(service.name, switched)
    for (const { revision, percent } of shares) {
      this.#fleet.keep(revision)
      if (service.serving.some((share) => share.revision === revision && share.percent === percent)) continue
      const facts = { service: service.name, revision, percent, url: this.uriOf(service.name) }
      this.#events.emit('traffic.changed', service.lastModifier, facts)
    }
    const drainMs = service.template.timeoutSeconds * 1000
    const others = (await this.#revisions.list(service.name)).filter(
      ({ name, state }) => !shares.some(({ revision }) => revision === name) && state !== 'retired' && state !== 'failed',
    )
    void Promise.all(others.map(({ name }) => this.#fleet.retire(name, drainMs)))
      .then(() => this.#unload(service.name))
      .catch((error: unknown) =>
        this.#logger.warn(`The revisions of service "${service.name}" without traffic were not all put away`, { error }),
      )
  }

  /** Leaves the files of the newest stopped revisions, for a quick rollback. */
  async #unload(service: string): Promise<void> {
    const stopped = (await this.#revisions.list(service)).filter(({ state }) => state === 'retired' || state === 'failed')
    for (const { name } of stopped.slice(this.#unpackedRevisions)) await this.#fleet.unload(name)
  }

  async #remove(name: string): Promise<void> {
    this.#routes.delete(name)
    for (const revision of await this.#revisions.list(name)) {
      await this.#fleet.retire(revision.name, 0)
      await this.#driver.remove(revision.name)
    }
    await this.#store.delete(name)
  }

  /** One change of a service's record at a time, so that none writes over another. */
  #exclusively<T>(name: string, work: () => Promise<T>): Promise<T> {
    const turn = (this.#turns.get(name) ?? Promise.resolve()).then(work)
    this.#turns.set(
      name,
      turn.then(
        () => {},
        () => {},
      ),
    )
    return turn
  }

  #withCondition(service: DeployedService, state: DeployedService['condition']['state'], message: string): DeployedService {
    const now = this.#clock.now().toISOString()
    return { ...service, updatedAt: now, condition: { state, message, since: now } }
  }
}

const REPLACED = 'A newer change of this service has taken its place.'
const STOPPING = 'The platform stops.'
