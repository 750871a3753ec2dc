/** Who holds which places in which workers, and how many there are of each kind. */
import type { Lane } from './worker-lane.ts'
import type { WorkerProcess } from './worker-process.ts'

/** A process, and how many places of each kind are held there. */
export interface Seat {
  readonly worker: WorkerProcess
  readonly lane: Lane
  taken: number
  reserved: number
  next: number
  idleSince: number
}

/**
 * What a job holds in a worker. `taken`: one of its places. `reserved`: nothing yet, but whoever comes later has his turn after it, and what it
 * becomes is said when the job is sent. `next`: the place of a job whose end it waits for there. `left`: nothing any more.
 */
export interface Place {
  readonly seat: Seat
  state: 'taken' | 'reserved' | 'next' | 'left'
}

export class Places {
  /** Tasks that have one. */
  busy = 0
  reserved = 0
  /** Those that wait in workers. */
  next = 0

  hold(seat: Seat, state: 'taken' | 'reserved'): Place {
    const place: Place = { seat, state: 'left' }
    this.move(place, state)
    return place
  }

  move(place: Place, state: Place['state']): void {
    const { seat } = place
    this.#count(seat, place.state, -1)
    this.#count(seat, state, 1)
    place.state = state
  }

  /** The process is gone, or going: what is held there is nothing any more. */
  forget({ lane, taken, reserved, next }: Seat): void {
    if (lane.counts) this.busy -= taken
    this.reserved -= reserved
    this.next -= next
  }

  #count(seat: Seat, state: Place['state'], by: number): void {
    if (state === 'left') return
    seat[state] += by
    if (state === 'reserved') this.reserved += by
    else if (state === 'next') this.next += by
    else if (seat.lane.counts) this.busy += by
  }
}
