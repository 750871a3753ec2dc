/** Who is held because the scheduler cannot go on with it: nothing is done for such a run or DAG, while all others go on. It is tried again after a growing pause. */
import { type DagRun, runKey } from './dag-run.ts'
import { type Fault, type Subject, sentenceOf } from './fault.ts'

const FIRST_PAUSE_MS = 1_000
const LONGEST_PAUSE_MS = 5 * 60_000
/** With more of its runs in trouble it is the DAG that is. */
const MOST_RUNS_OF_DAG = 3
const LONGEST_REASON = 500
/** Numbers of import errors that are files stay below. */
const FIRST_ID = 1_000_000_000

/** What people are shown of it. */
export interface Trouble {
  readonly id: number
  readonly subject: Subject
  /** What cannot be done, and because of what. */
  readonly sentence: string
  /** ISO instants: since when, and when it is tried again; null for not before its DAG changes. */
  readonly since: string
  readonly triesAgainAt: string | null
  readonly refusals: number
}

interface Entry {
  readonly id: number
  readonly subject: Subject
  readonly reason: string
  readonly since: Date
  readonly refusals: number
  /** When it is tried again, in milliseconds since 1970. */
  readonly at: number
  /** It is tried in a turn without another such one, since what was refused was a whole turn. */
  readonly isAlone: boolean
}

export class Quarantine {
  readonly #held = new Map<string, Entry>()
  /** They may go on. If they are held again soon, the pause goes on growing. */
  readonly #released = new Map<string, Entry>()
  #onTrial: Entry | null = null
  #ids = FIRST_ID
  #hasReleased = false

  /** Whether nothing is to be done for a run. */
  holds(run: DagRun): boolean {
    return this.#held.size > 0 && this.#of(run) !== undefined
  }

  /** Whether the schedule and the assets of a DAG bring no run. */
  holdsSchedule(dagId: string): boolean {
    return this.#held.size > 0 && (this.#held.has(keyOf({ kind: 'schedule', dagId })) || this.holdsDag(dagId))
  }

  holdsBackfill(dagId: string, backfillId: number): boolean {
    return this.#held.size > 0 && (this.#held.has(keyOf({ kind: 'backfill', dagId, backfillId })) || this.holdsDag(dagId))
  }

  holdsDag(dagId: string): boolean {
    return this.#held.size > 0 && this.#held.has(keyOf({ kind: 'dag', dagId }))
  }

  /** When the next one is tried again, in milliseconds since 1970; null without any. */
  get nextAt(): number | null {
    let next = Number.POSITIVE_INFINITY
    for (const { at } of this.#held.values()) next = Math.min(next, at)
    return next === Number.POSITIVE_INFINITY ? null : next
  }

  /** Who is tried alone in this turn. */
  get onTrial(): Subject | null {
    return this.#onTrial?.subject ?? null
  }

  /** Holds what is at fault. Null when it, and all of its DAG, are held already: then something else is at fault. */
  hold(fault: Fault, now: Date, isAlone = false): Trouble | null {
    const subject = this.#toHold(fault.subject)
    if (!subject) return null
    if (subject.kind === 'dag') this.#forgetOf(subject.dagId)
    const key = keyOf(subject)
    const isOnTrial = this.#onTrial !== null && keyOf(this.#onTrial.subject) === key
    const known = isOnTrial ? this.#onTrial : (this.#released.get(key) ?? this.#held.get(key))
    if (isOnTrial) this.#onTrial = null
    this.#released.delete(key)
    const refusals = (known?.refusals ?? 0) + 1
    const entry: Entry = {
      ...{ id: known?.id ?? this.#ids++, subject, since: known?.since ?? now, refusals, isAlone },
      reason: fault.message.slice(0, LONGEST_REASON),
      at: subject.kind === 'document' ? Number.POSITIVE_INFINITY : now.getTime() + pauseMs(refusals),
    }
    this.#held.set(key, entry)
    return toTrouble(entry)
  }

  /** A turn that has moved all of these was refused as a whole: each is tried alone, one after the other. */
  suspect(subjects: readonly Subject[], reason: string, now: Date): void {
    for (const subject of subjects) {
      const key = keyOf(subject)
      const { id = this.#ids++, since = now, refusals = 0 } = this.#released.get(key) ?? {}
      this.#released.delete(key)
      if (this.#held.has(key)) continue
      this.#held.set(key, { id, subject, reason: reason.slice(0, LONGEST_REASON), since, refusals, at: now.getTime(), isAlone: true })
    }
  }

  /** Lets those go on whose time has come, or whose DAG has changed. True when there are such. */
  release(now: Date): boolean {
    if (this.#held.size === 0 && this.#released.size === 0) return this.#takeReleased()
    for (const [key, { at }] of this.#released) if (at + LONGEST_PAUSE_MS <= now.getTime()) this.#released.delete(key)
    for (const [key, entry] of this.#held) {
      if (entry.at > now.getTime() || (entry.isAlone && this.#onTrial)) continue
      this.#held.delete(key)
      this.#hasReleased = true
      if (entry.isAlone) this.#onTrial = entry
      else this.#released.set(key, { ...entry, at: now.getTime() })
    }
    return this.#takeReleased()
  }

  /** The turn of the one that was tried alone is kept. */
  acquit(): void {
    this.#onTrial = null
  }

  /** Its file says something else now. */
  dagChanged(dagId: string): void {
    if (this.#held.size === 0 && this.#released.size === 0) return
    this.#hasReleased = this.#forgetOf(dagId) || this.#hasReleased
    this.#released.delete(keyOf({ kind: 'dag', dagId }))
  }

  /** The run has ended, or is gone. */
  runGone(run: DagRun): void {
    const key = keyOf({ kind: 'run', dagId: run.dagId, runId: run.runId })
    this.#held.delete(key)
    this.#released.delete(key)
  }

  /** Why nothing is done for a run; null when it goes on. */
  troubleOf(run: DagRun): Trouble | null {
    const found = this.#of(run)
    return found ? toTrouble(found) : null
  }

  /** All that are held and known to be at fault, in the order in which they came to it. */
  get troubles(): Trouble[] {
    return [...this.#held.values()].filter(({ refusals }) => refusals > 0).map(toTrouble)
  }

  clear(): void {
    this.#held.clear()
    this.#released.clear()
    this.#onTrial = null
  }

  #of({ dagId, runId }: DagRun): Entry | undefined {
    return this.#held.get(keyOf({ kind: 'run', dagId, runId })) ?? this.#held.get(keyOf({ kind: 'dag', dagId }))
  }

  /** What throws although it is held, or one too many, stands for its DAG. */
  #toHold(subject: Subject): Subject | null {
    const { kind, dagId } = subject
    let ofDag = 0
    for (const { subject: other } of this.#held.values()) if (other.kind === 'run' && other.dagId === dagId) ofDag += 1
    const isTooMuch = this.#held.has(keyOf(subject)) || (kind === 'run' && ofDag >= MOST_RUNS_OF_DAG)
    if (!isTooMuch || kind === 'document') return subject
    return this.#held.has(keyOf({ kind: 'dag', dagId })) ? null : { kind: 'dag', dagId }
  }

  #forgetOf(dagId: string): boolean {
    let hasHeld = false
    for (const [key, { subject }] of this.#held) if (subject.dagId === dagId) hasHeld = this.#held.delete(key)
    for (const [key, { subject }] of this.#released) if (subject.dagId === dagId && subject.kind !== 'dag') this.#released.delete(key)
    return hasHeld
  }

  #takeReleased(): boolean {
    const hasReleased = this.#hasReleased
    this.#hasReleased = false
    return hasReleased
  }
}

const pauseMs = (refusals: number): number => Math.min(FIRST_PAUSE_MS * 2 ** (refusals - 1), LONGEST_PAUSE_MS)

function keyOf(subject: Subject): string {
  switch (subject.kind) {
    case 'run':
      return `run/${runKey(subject)}`
    case 'backfill':
      return `backfill/${subject.dagId}/${subject.backfillId}`
    default:
      return `${subject.kind}/${subject.dagId}`
  }
}

const toTrouble = ({ id, subject, reason, since, refusals, at }: Entry): Trouble => ({
  ...{ id, subject, refusals },
  sentence: `${sentenceOf(subject)}: ${reason}`,
  since: since.toISOString(),
  triesAgainAt: Number.isFinite(at) ? new Date(at).toISOString() : null,
})
