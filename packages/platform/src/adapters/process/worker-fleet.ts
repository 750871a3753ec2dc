/** The worker processes that are there: started when needed, kept warm, ended when idle, old or spent. */
import { OrphanGuard } from './orphan-guard.ts'
import { WorkerAge } from './worker-age.ts'
import { Lane } from './worker-lane.ts'
import { type Place, Places, type Seat } from './worker-places.ts'
import { type WorkerPatience, WorkerProcess } from './worker-process.ts'

export interface FleetOptions {
  /** The DAGs folder. */
  readonly folder: string
  /** How many tasks may run at the same time. */
  readonly workers: number
  /** A worker that has had nothing to do for so long is ended. */
  readonly idleMs: number
  /** How many idle ones stay for that long; the others go after a few seconds. */
  readonly warm: number
  /** How many may be starting at the same time: more would only share the cores. */
  readonly starting: number
  readonly memoryMb: number | null
  readonly patience?: WorkerPatience
  readonly environment: Readonly<Record<string, string>>
}

/** What somebody asks a place for. */
export interface PlaceRequest {
  /** Of the kind of worker; `capacity` jobs run in each of them at the same time. */
  readonly lane: string
  readonly capacity: number
  /** It is a task, of which only so many may run. */
  readonly counts: boolean
  readonly file: string
  /** From `ticket()`. Whoever asks again with the same one has the turn that he had. */
  readonly ticket: number
  readonly signal: AbortSignal
}

const FEW_SECONDS_MS = 5_000
/** How many jobs a worker is given at most that begin when others end. */
const MOST_NEXT = 64
/** How many processes there may be for callbacks, and for waits. */
const MOST_BESIDE = 16

export class WorkerFleet {
  readonly #options: FleetOptions
  readonly #lanes = new Map<string, Lane>()
  readonly #seats = new Map<WorkerProcess, Seat>()
  /** Killed, and not gone yet. */
  readonly #ending = new Set<Promise<void>>()
  readonly #guard = new OrphanGuard()
  readonly #age = new WorkerAge()
  readonly #places = new Places()
  #tickets = 0
  #sweeper: NodeJS.Timeout | null = null
  #isStopped = false

  constructor(options: FleetOptions) {
    this.#options = options
  }

  /** The processes that are there now. */
  get size(): number {
    return this.#seats.size
  }

  /** Whether somebody who comes to that lane now gets a place, if need be in a process that has to start. */
  hasRoom(lane: string): boolean {
    return this.#lanes.get(lane)?.hasRoom ?? true
  }

  /** The turn of somebody who comes now. */
  ticket(): number {
    return ++this.#tickets
  }

  /** A place in a worker that has read nothing which has changed since; null when `signal` aborts first or the fleet is stopped. */
  acquire(request: PlaceRequest): Promise<Place | null> {
    const { signal, file, ticket } = request
    if (this.#isStopped || signal.aborted) return Promise.resolve(null)
    const lane = this.#lane(request)
    const place = lane.firstTicket > ticket ? this.#place(lane, file) : null
    if (place) return Promise.resolve(place)
    const waiting = lane.wait(file, ticket, signal)
    this.#serve(lane)
    return waiting
  }

  /** For what is no task, of which only so many may run. */
  acquireBeside(lane: string, capacity: number, file: string, signal: AbortSignal): Promise<Place | null> {
    return this.acquire({ lane, capacity, counts: false, file, ticket: this.ticket(), signal })
  }

  /** To be asked right before a job is sent whose place is reserved. `later`: when another one ends; it tells then that it has begun. */
  confirm(place: Place): 'now' | 'later' | 'never' {
    const { seat } = place
    if (!this.#isThere(seat) || !this.#isFit(seat)) return 'never'
    if (this.#places.busy < this.#options.workers) {
      if (seat.taken >= seat.lane.capacity) return 'never'
      this.#places.move(place, 'taken')
      return 'now'
    }
    if (!this.#runsAll(seat)) return 'never'
    this.#places.move(place, 'next')
    return 'later'
  }

  /** A job has begun that was to begin when another one ends. */
  began(place: Place): void {
    if (!this.#isThere(place.seat)) return
    this.#places.move(place, 'taken')
    this.#serve(place.seat.lane)
  }

  /** It may be given back again. */
  giveBack(place: Place): void {
    const { seat, state } = place
    if (state === 'left' || !this.#isThere(seat)) return
    this.#places.move(place, 'left')
    if (state === 'next') return
    const { worker } = seat
    seat.idleSince = performance.now()
    if (worker.isAlive && worker.isSpent && seat.taken === 0) this.#end(seat)
    this.#serveAll()
  }

  /** Files may have changed: every worker is looked at before it is given more to do. */
  filesChanged(): void {
    this.#age.lookAgain()
    this.#withdrawNext()
  }

  /** Resolves when no process is left. */
  async stop(): Promise<void> {
    this.#isStopped = true
    if (this.#sweeper) clearInterval(this.#sweeper)
    for (const lane of this.#lanes.values()) for (const waiter of lane.waiting) waiter.give(null)
    for (const seat of this.#seats.values()) this.#end(seat)
    await Promise.all(this.#ending)
    this.#guard.stop()
  }

  #lane({ lane: name, capacity, counts }: PlaceRequest): Lane {
    const known = this.#lanes.get(name)
    if (known) return known
    const lane = new Lane(capacity, counts, counts ? this.#options.workers : MOST_BESIDE)
    this.#lanes.set(name, lane)
    return lane
  }

  #hasPlace(lane: Lane): boolean {
    return !lane.counts || this.#places.busy + this.#places.reserved < this.#options.workers
  }

  /** A place that is free may be anybody's: all lanes share the number of tasks that may run, and who has waited longest is the first. */
  #serveAll(): void {
    if (this.#isStopped) return
    const waiting = [...this.#lanes.values()].filter((lane) => lane.waiting.size > 0)
    for (const open = new Set(waiting.length > 1 ? waiting : []); open.size > 0; ) {
      const lane = [...open].reduce((first, other) => (other.firstTicket < first.firstTicket ? other : first))
      if (!this.#serveFirst(lane)) open.delete(lane)
    }
    for (const lane of waiting) this.#serve(lane)
    // Nobody else wants what is free: who waits in a worker need not wait for an end there.
    if (this.#places.next > 0 && this.#places.busy < this.#options.workers) this.#withdrawNext()
  }

  /** Gives places to those who have waited longest, and starts processes for those who are left. */
  #serve(lane: Lane): void {
    while (this.#serveFirst(lane)) {}
    if (!this.#hasPlace(lane)) return
    const { starting } = this.#options
    const wanted = lane.counts
      ? Math.min(lane.waiting.size, this.#options.workers - this.#places.busy - this.#places.reserved)
      : lane.waiting.size
    while (lane.starting * lane.capacity < wanted && lane.starting < starting && lane.seats.size < lane.limit) this.#start(lane)
  }

  /** Whether there was anybody, and a place for him. */
  #serveFirst(lane: Lane): boolean {
    const [first] = lane.waiting
    const place = first ? this.#place(lane, first.file) : null
    if (place) first?.give(place)
    return place !== null
  }

  /** A free place, or one that will be when another job ends. Null when there is neither: somebody has to wait, or a process has to start. */
  #place(lane: Lane, file: string): Place | null {
    if (!this.#hasPlace(lane)) return this.#nextPlace(lane)
    const seat = lane.find(file, (one) => this.#isFit(one))
    return seat && this.#places.hold(seat, 'taken')
  }

  /**
   * In the one worker that all tasks share which run, so that none could begin sooner elsewhere; and while nobody waits for another worker, who
   * would come after those.
   */
  #nextPlace(lane: Lane): Place | null {
    if (!lane.counts || lane.capacity === 1) return null
    let seat: Seat | null = null
    for (const one of lane.seats) if (this.#runsAll(one)) seat = one
    if (!seat || seat.reserved + seat.next >= MOST_NEXT || !this.#isFit(seat)) return null
    for (const other of this.#lanes.values()) if (other !== lane && other.counts && other.waiting.size > 0) return null
    return this.#places.hold(seat, 'reserved')
  }

  /** All places are taken there, and one of them will be free again. */
  #runsAll({ taken, worker }: Seat): boolean {
    return taken === this.#places.busy && worker.running > 0
  }

  /** What has not begun yet asks anew, and has the turn that it had. */
  #withdrawNext(): void {
    for (const { worker } of this.#seats.values()) worker.withdraw()
  }

  #isFit(seat: Seat): boolean {
    const { worker } = seat
    if (!worker.isReady || !worker.isAlive) return false
    if (!worker.isSpent && this.#age.isOld(worker)) {
      worker.isSpent = true
      worker.withdraw()
    }
    if (worker.isSpent && seat.taken === 0) this.#end(seat)
    return !worker.isSpent
  }

  #isThere({ worker }: Seat): boolean {
    return this.#seats.has(worker)
  }

  #start(lane: Lane): void {
    lane.starting += 1
    const { environment, memoryMb, folder, patience } = this.#options
    const worker = new WorkerProcess({
      environment,
      memoryMb,
      folder,
      capacity: lane.capacity,
      ...(patience && { patience }),
      onReady: () => {
        lane.starting -= 1
        if (!this.#isStopped) this.#serve(lane)
      },
      onExit: () => this.#exited(seat),
    })
    this.#guard.watch(worker.pid)
    void worker.ended.then(() => this.#guard.forget(worker.pid))
    const seat: Seat = { worker, lane, taken: 0, reserved: 0, next: 0, idleSince: performance.now() }
    this.#seats.set(worker, seat)
    lane.seats.add(seat)
    this.#sweep()
  }

  #exited(seat: Seat): void {
    const { worker, lane } = seat
    this.#forget(seat)
    if (!worker.isReady && !this.#isStopped) {
      lane.starting -= 1
      // What cannot start now will not the next time either: whoever waits hears it.
      const [first] = lane.waiting
      first?.fail(new Error(`No worker process could be started: it ${worker.howItEnded}. ${worker.lastWords}`.trim()))
    }
    this.#serveAll()
  }

  #end(seat: Seat): void {
    const { worker } = seat
    this.#forget(seat)
    const gone = worker.ended
    this.#ending.add(gone)
    void gone.then(() => this.#ending.delete(gone))
    worker.kill()
  }

  #forget(seat: Seat): void {
    if (!this.#seats.delete(seat.worker)) return
    seat.lane.seats.delete(seat)
    this.#places.forget(seat)
  }

  #sweep(): void {
    this.#sweeper ??= setInterval(() => this.#endIdle(), Math.max(1, Math.min(1_000, this.#options.idleMs))).unref()
  }

  #endIdle(): void {
    const { idleMs, warm } = this.#options
    const now = performance.now()
    // Whether a file has changed is looked at when a job is given a place; those that wait in a worker have theirs already.
    for (const seat of this.#seats.values()) if (seat.next > 0) this.#isFit(seat)
    const idle = [...this.#seats.values()].filter(({ taken, worker }) => taken === 0 && worker.isReady)
    idle.sort((a, b) => b.idleSince - a.idleSince)
    for (const [i, seat] of idle.entries()) {
      const restMs = i < warm ? idleMs : Math.min(idleMs, FEW_SECONDS_MS)
      if (now - seat.idleSince > restMs || seat.worker.isSpent) this.#end(seat)
    }
    if (this.#seats.size === 0 && this.#sweeper) {
      clearInterval(this.#sweeper)
      this.#sweeper = null
    }
  }
}
