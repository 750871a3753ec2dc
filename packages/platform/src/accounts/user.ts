/** People: names, roles and hashed passwords. */
import { createHash, randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { AppError } from '../core/app-error.ts'
import { type Principal, principal, ROLE_PERMISSIONS, type Role } from '../core/principal.ts'
import type { LivesById } from './lives.ts'

const derive = promisify(scrypt) as (password: string, salt: Buffer, length: number) => Promise<Buffer>

export interface User {
  readonly name: string
  readonly role: Role
  /** `scrypt:SALT:HASH` in hexadecimal; Node's default cost (N = 16384, r = 8, p = 1). */
  readonly passwordHash: string
}

export interface UserStore {
  find(name: string): Promise<User | null>
  list(): Promise<User[]>
  /** Creates the user or replaces role and hash of the one of that name. */
  save(user: User): Promise<void>
  /** Answers whether there was one. */
  delete(name: string): Promise<boolean>
}

export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16)
  return `scrypt:${salt.toString('hex')}:${(await derive(password, salt, 32)).toString('hex')}`
}

/** A check costs much on purpose, so they wait for each other: who guesses passwords must not take the machine, nor get many tries a second. */
const MOST_WAITING = 20
let waiting = 0
let last: Promise<unknown> = Promise.resolve()

/** Throws `unavailable` when too many others wait for theirs. */
export async function passwordMatches(password: string, passwordHash: string): Promise<boolean> {
  if (waiting >= MOST_WAITING) throw new AppError('unavailable', 'Too many logins are being checked. Try again in a few seconds.')
  const [, salt = '', hash = ''] = passwordHash.split(':')
  const expected = Buffer.from(hash, 'hex')
  waiting++
  const turn = last.then(() => derive(password, Buffer.from(salt, 'hex'), expected.length))
  last = turn.catch(() => {})
  try {
    return timingSafeEqual(await turn, expected)
  } finally {
    waiting--
  }
}

let changes: Promise<unknown> = Promise.resolve()

/** Changes of users follow each other: what one of them has looked at is still so when it writes. Hash passwords before. */
export function changeUsers<T>(work: () => Promise<T>): Promise<T> {
  const turn = changes.then(work)
  changes = turn.catch(() => {})
  return turn
}

export const principalOf = (user: User): Principal => ({
  ...principal(`user:${user.name}`, ROLE_PERMISSIONS[user.role]),
  stamp: stampOf(user),
})

/** Another one for each role and each password, also for the same password given anew. */
const stampOf = ({ role, passwordHash }: User): string => createHash('sha256').update(`${role}:${passwordHash}`).digest('hex').slice(0, 16)

/**
 * Whether a user's token still counts: the user is there, with the role and the password of then. Tokens that the platform makes
 * for itself have no stamp and last as long as the user.
 */
export const livesOfUsers =
  (users: UserStore): LivesById =>
  async (name, { stamp }) => {
    const user = await users.find(name)
    return user !== null && (stamp === undefined || stamp === stampOf(user))
  }

/** 24 characters that can be read aloud. */
export const generatePassword = (): string => randomBytes(18).toString('base64url')

/** The user behind name and password; throws `unauthenticated`, with the same words and the same work whether name or password is wrong. */
export async function logIn(users: UserStore, name: string, password: string): Promise<User> {
  const user = await users.find(name)
  const matches = await passwordMatches(password, user?.passwordHash ?? NOBODY)
  if (!user || !matches) throw new AppError('unauthenticated', 'Name or password is wrong.')
  return user
}

const NOBODY = `scrypt:${'00'.repeat(16)}:${'00'.repeat(32)}`
