/** The worker processes that are there: started when needed, kept warm, ended when idle, old or spent. */
import { fileStamp } from './file-stamp.ts'
import { OrphanGuard } from './orphan-guard.ts'
import { WorkerProcess } from './worker-process.ts'

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
  readonly environment: Readonly<Record<string, string>>
}

/** Workers of one kind. `counts`: its jobs are tasks, of which only so many may run. */
interface Lane {
  readonly name: string
  readonly capacity: number
  readonly counts: boolean
  readonly limit: number
  readonly workers: Set<Seat>
  readonly waiting: Set<Waiter>
  starting: number
}

/** A process, and how many of its places are taken. */
interface Seat {
  readonly worker: WorkerProcess
  readonly lane: Lane
  taken: number
  /** How many jobs it has been given beyond, which begin when others end. */
  next: number
  idleSince: number
  checkedAt: number
}

/** `isNext`: all places are taken, and the job is to begin there when another one ends. */
export interface Place {
  readonly worker: WorkerProcess
  readonly isNext: boolean
}

interface Waiter {
  readonly file: string
  /** Waiters of all lanes come in the order of these. */
  readonly order: number
  give(place: Place | null): void
  fail(error: Error): void
}

/** How long what is known of a file's age counts. */
const LOOK_AGAIN_MS = 200
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
  #stamps = new Map<string, string>()
  #lookedAt = 0
  #look = 1
  #busy = 0
  #waiters = 0
  #sweeper: NodeJS.Timeout | null = null
  #isStopped = false

  constructor(options: FleetOptions) {
    this.#options = options
  }

  /** The processes that are there now. */
  get size(): number {
    return this.#seats.size
  }

  /** A place in a worker that has read nothing which has changed since; null when `signal` aborts first or the fleet is stopped. */
  acquire(name: string, capacity: number, counts: boolean, file: string, signal: AbortSignal): Promise<Place | null> {
    if (this.#isStopped || signal.aborted) return Promise.resolve(null)
    const lane = this.#lane(name, capacity, counts)
    const place = lane.waiting.size === 0 ? this.#place(lane, file) : null
    if (place) return Promise.resolve(place)
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        file,
        order: ++this.#waiters,
        give: (given) => {
          lane.waiting.delete(waiter)
          signal.removeEventListener('abort', onAbort)
          resolve(given)
        },
        fail: (error) => {
          lane.waiting.delete(waiter)
          signal.removeEventListener('abort', onAbort)
          reject(error)
        },
      }
      const onAbort = () => waiter.give(null)
      signal.addEventListener('abort', onAbort, { once: true })
      lane.waiting.add(waiter)
      this.#withdrawOthers(lane)
      this.#serve(lane)
    })
  }

  /** A job that was to begin when another ends has begun. */
  began(worker: WorkerProcess): void {
    const seat = this.#seats.get(worker)
    if (!seat) return
    seat.next -= 1
    this.#take(seat)
    this.#serve(seat.lane)
  }

  /** To be asked right before a job is sent that was given a place for later: what has become of it meanwhile. */
  confirm(worker: WorkerProcess): 'now' | 'later' | 'never' {
    const seat = this.#seats.get(worker)
    if (!seat || !this.#isFit(seat)) return 'never'
    if (this.#hasPlace(seat.lane) && seat.taken < seat.lane.capacity) {
      seat.next -= 1
      this.#take(seat)
      return 'now'
    }
    return worker.running > 0 ? 'later' : 'never'
  }

  /** It will not begin there. */
  putOff(worker: WorkerProcess): void {
    const seat = this.#seats.get(worker)
    if (seat) seat.next -= 1
  }

  /** Gives a place back. */
  release(worker: WorkerProcess): void {
    const seat = this.#seats.get(worker)
    if (!seat) return
    seat.taken -= 1
    seat.idleSince = performance.now()
    if (seat.lane.counts) this.#busy -= 1
    if (worker.isAlive && worker.isSpent && seat.taken === 0) this.#end(seat)
    this.#serveAll()
  }

  /** Files may have changed: every worker is looked at before it is given more to do. */
  filesChanged(): void {
    this.#lookedAt = 0
    for (const { worker } of this.#seats.values()) worker.withdraw()
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

  #lane(name: string, capacity: number, counts: boolean): Lane {
    const known = this.#lanes.get(name)
    if (known) return known
    const limit = counts ? this.#options.workers : MOST_BESIDE
    const lane: Lane = { name, capacity, counts, limit, workers: new Set(), waiting: new Set(), starting: 0 }
    this.#lanes.set(name, lane)
    return lane
  }

  #hasPlace(lane: Lane): boolean {
    return !lane.counts || this.#busy < this.#options.workers
  }

  /** A place that is free may be anybody's: all lanes share the number of tasks that may run, and who has waited longest is the first. */
  #serveAll(): void {
    if (this.#isStopped) return
    const waiting = [...this.#lanes.values()].filter((lane) => lane.waiting.size > 0)
    for (const lane of waiting.length > 1 ? waiting.sort((a, b) => firstOrder(a) - firstOrder(b)) : waiting) this.#serve(lane)
  }

  /** Gives places to those who have waited longest, and starts processes for those who are left. */
  #serve(lane: Lane): void {
    for (const waiter of lane.waiting) {
      const place = this.#place(lane, waiter.file)
      if (!place) break
      waiter.give(place)
    }
    if (!this.#hasPlace(lane)) return
    const { starting } = this.#options
    const wanted = lane.counts ? Math.min(lane.waiting.size, this.#options.workers - this.#busy) : lane.waiting.size
    while (lane.starting * lane.capacity < wanted && lane.starting < starting && this.#hasRoom(lane)) this.#start(lane)
  }

  /** A free place, or one that will be when another job ends. Null when there is neither: somebody has to wait, or a process has to start. */
  #place(lane: Lane, file: string): Place | null {
    if (!this.#hasPlace(lane)) return this.#nextPlace(lane)
    const seat = this.#find(lane, file)
    return seat && { worker: this.#take(seat), isNext: false }
  }

  /**
   * In the one worker that all tasks share which run, so that none could begin sooner elsewhere; and while nobody waits for another worker, who
   * would come after those.
   */
  #nextPlace(lane: Lane): Place | null {
    if (!lane.counts || lane.capacity === 1) return null
    const seat = [...lane.workers].find(({ taken }) => taken > 0 && taken === this.#busy)
    if (!seat || seat.next >= MOST_NEXT || !this.#isFit(seat)) return null
    for (const other of this.#lanes.values()) if (other !== lane && other.counts && other.waiting.size > 0) return null
    seat.next += 1
    return { worker: seat.worker, isNext: true }
  }

  /** Somebody waits for another worker: what has not begun waits with him. */
  #withdrawOthers(lane: Lane): void {
    if (!lane.counts) return
    for (const { worker, lane: own, next } of this.#seats.values()) if (own !== lane && next > 0) worker.withdraw()
  }

  /** Whether one more process may be there: an idle one makes room when it is not needed. */
  #hasRoom(lane: Lane): boolean {
    return lane.workers.size < lane.limit
  }

  /** Of those that have a free place the one that knows the file, or else the fullest. */
  #find(lane: Lane, file: string): Seat | null {
    let best: Seat | null = null
    for (const seat of lane.workers) {
      if (seat.taken >= lane.capacity || !this.#isFit(seat)) continue
      const knows = seat.worker.stamps.has(file)
      if (knows && lane.capacity === 1) return seat
      if (!best || (knows && !best.worker.stamps.has(file)) || seat.taken > best.taken) best = seat
    }
    return best
  }

  #isFit(seat: Seat): boolean {
    const { worker } = seat
    if (!worker.isReady || !worker.isAlive) return false
    if (!worker.isSpent && this.#isOld(seat)) worker.isSpent = true
    if (worker.isSpent && seat.taken === 0) this.#end(seat)
    return !worker.isSpent
  }

  #isOld(seat: Seat): boolean {
    const now = performance.now()
    if (now - this.#lookedAt > LOOK_AGAIN_MS || this.#lookedAt === 0) {
      this.#stamps = new Map()
      this.#lookedAt = now
      this.#look += 1
    }
    if (seat.checkedAt === this.#look) return false
    seat.checkedAt = this.#look
    for (const [path, stamp] of seat.worker.stamps) {
      let current = this.#stamps.get(path)
      if (current === undefined) {
        current = fileStamp(path)
        this.#stamps.set(path, current)
      }
      if (current !== stamp) return true
    }
    return false
  }

  #take(seat: Seat): WorkerProcess {
    seat.taken += 1
    if (seat.lane.counts) this.#busy += 1
    return seat.worker
  }

  #start(lane: Lane): void {
    lane.starting += 1
    const { environment, memoryMb, folder } = this.#options
    const worker = new WorkerProcess({
      environment,
      memoryMb,
      folder,
      capacity: lane.capacity,
      onReady: () => {
        lane.starting -= 1
        if (!this.#isStopped) this.#serve(lane)
      },
      onExit: () => this.#exited(seat),
    })
    this.#guard.watch(worker.pid)
    void worker.ended.then(() => this.#guard.forget(worker.pid))
    const seat: Seat = { worker, lane, taken: 0, next: 0, idleSince: performance.now(), checkedAt: 0 }
    this.#seats.set(worker, seat)
    lane.workers.add(seat)
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
    seat.lane.workers.delete(seat)
    if (seat.lane.counts) this.#busy -= seat.taken
  }

  #sweep(): void {
    this.#sweeper ??= setInterval(() => this.#endIdle(), Math.max(1, Math.min(1_000, this.#options.idleMs))).unref()
  }

  #endIdle(): void {
    const { idleMs, warm } = this.#options
    const now = performance.now()
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

const firstOrder = ({ waiting }: Lane): number => {
  const [first] = waiting
  return first?.order ?? Number.POSITIVE_INFINITY
}
