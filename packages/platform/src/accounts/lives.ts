/** What a token speaks for may end before the token expires: a build, a task's try, a revision. The token then opens nothing any more. */
import { AppError } from '../core/app-error.ts'
import type { Principal } from '../core/principal.ts'

/** Asked with each token that comes in, so it must be quick. */
export interface Lives {
  /** Whether `who` is still there and at work, and still what the token was given for. */
  isAlive(who: Principal): boolean | Promise<boolean>
}

/** The platform itself always lives. */
const ALWAYS = 'system'

/** Whether the one of that id lives: `1` of `build:1`. */
export type LivesById = (id: string, who: Principal) => boolean | Promise<boolean>

/** Asks whoever knows that kind of subject: `build` for `build:ID`. A kind that nobody knows does not live. */
export class LivesByKind implements Lives {
  #kinds: Readonly<Record<string, LivesById>>

  constructor(kinds: Readonly<Record<string, LivesById>>) {
    this.#kinds = kinds
  }

  isAlive(who: Principal): boolean | Promise<boolean> {
    const { subject } = who
    if (subject === ALWAYS) return true
    const colon = subject.indexOf(':')
    const kind = subject.slice(0, colon)
    return Object.hasOwn(this.#kinds, kind) ? (this.#kinds[kind]?.(subject.slice(colon + 1), who) ?? false) : false
  }
}

/** `who`, if it is still there; throws `unauthenticated` otherwise. */
export async function requireAlive(who: Principal, lives: Lives): Promise<Principal> {
  if (await lives.isAlive(who)) return who
  throw new AppError('unauthenticated', `This token speaks for ${who.subject}, which is over; the token ended with it.`)
}
