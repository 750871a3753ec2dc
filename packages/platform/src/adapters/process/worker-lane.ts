/** Workers of one kind, and who waits for a place in one of them. */
import type { Place, Seat } from './worker-places.ts'

export interface Waiter {
  readonly file: string
  /** Whoever came first, to whichever lane, has the smallest. */
  readonly ticket: number
  give(place: Place | null): void
  fail(error: Error): void
}

export class Lane {
  /** How many jobs each of its workers may run at the same time. */
  readonly capacity: number
  /** Its jobs are tasks, of which only so many may run. */
  readonly counts: boolean
  /** How many workers there may be. */
  readonly limit: number
  readonly seats = new Set<Seat>()
  /** In the order of their tickets. */
  readonly waiting = new Set<Waiter>()
  starting = 0
  #lastTicket = 0

  constructor(capacity: number, counts: boolean, limit: number) {
    this.capacity = capacity
    this.counts = counts
    this.limit = limit
  }

  /** The ticket of whoever is to be served first. */
  get firstTicket(): number {
    for (const { ticket } of this.waiting) return ticket
    return Number.POSITIVE_INFINITY
  }

  /** Whether there is, or may be, a place for one more than those who wait. */
  get hasRoom(): boolean {
    let free = (this.limit - this.seats.size) * this.capacity
    for (const { worker, taken } of this.seats) if (!worker.isSpent) free += this.capacity - taken
    return free > this.waiting.size
  }

  /** Null when `signal` aborts before there is a place. Whoever comes again, because he could not begin where he was sent, has the turn that he had. */
  wait(file: string, ticket: number, signal: AbortSignal): Promise<Place | null> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.waiting.delete(waiter)
        signal.removeEventListener('abort', onAbort)
      }
      const waiter: Waiter = {
        file,
        ticket,
        give: (place) => {
          leave()
          resolve(place)
        },
        fail: (error) => {
          leave()
          reject(error)
        },
      }
      const onAbort = () => waiter.give(null)
      signal.addEventListener('abort', onAbort, { once: true })
      this.#queue(waiter)
    })
  }

  #queue(waiter: Waiter): void {
    const after = waiter.ticket < this.#lastTicket ? [...this.waiting].filter(({ ticket }) => ticket > waiter.ticket) : []
    this.#lastTicket = Math.max(this.#lastTicket, waiter.ticket)
    for (const other of after) this.waiting.delete(other)
    for (const one of [waiter, ...after]) this.waiting.add(one)
  }

  /** Of the seats that have a free place the one that knows the file, or else the fullest. */
  find(file: string, isFit: (seat: Seat) => boolean): Seat | null {
    let best: Seat | null = null
    for (const seat of this.seats) {
      if (seat.taken >= this.capacity || !isFit(seat)) continue
      const knows = seat.worker.stamps.has(file)
      if (knows && this.capacity === 1) return seat
      if (!best || (knows && !best.worker.stamps.has(file)) || seat.taken > best.taken) best = seat
    }
    return best
  }
}
