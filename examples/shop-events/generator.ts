/** Invents weeks of shop events whose statistics follow the published facts, so that a model has something to learn from them. */
import { Catalogue, type Product } from './catalogue.ts'
import { EventsFile } from './events-file.ts'
import { Random } from './random.ts'

export interface GenerateOptions {
  /** Where to write; compressed when it ends in `.gz`. */
  readonly file: string
  /** Exactly so many events. */
  readonly events: number
  /** The first day, 00:00 UTC; a Monday if the weeks shall be those of the pipeline. */
  readonly from: Date
  readonly weeks: number
  readonly seed?: number
  readonly signal?: AbortSignal
  readonly onProgress?: (fraction: number) => void
}

export interface Generated {
  readonly events: number
  readonly sessions: number
  readonly buyingSessions: number
  readonly users: number
}

const DAY_SECONDS = 86_400
const HOUR_SECONDS = 3600
/** How the events spread over the hours of a day (UTC) and the days of a week (from Monday). */
const HOURS = [4, 9, 20, 38, 49, 55, 59, 60, 61, 60, 59, 58, 58, 58, 60, 65, 68, 66, 55, 42, 28, 16, 9, 5]
const WEEKDAYS = [1, 0.98, 0.97, 0.98, 1.02, 1.07, 1.05]
/** Of the sessions about a product of average interest, so many reach the cart; so many of those buy. */
const REACHES_CART = 0.0635
const BUYS = 1.22
const RETURNS = 0.29
const REMEMBERED_USERS = 6000

interface User {
  readonly id: number
  /** Sessions of this week that reached the cart, and the products that did. */
  week: number
  cartSessions: number
  inCart: Product[]
}

/** The same options give the same file. Throws `RangeError` for sizes that make no sense, and the signal's reason when aborted. */
export async function generateEvents({ file, events, from, weeks, seed = 1, signal, onProgress }: GenerateOptions): Promise<Generated> {
  if (!Number.isInteger(events) || events < 1 || !Number.isInteger(weeks) || weeks < 1)
    throw new RangeError(`Cannot generate ${events} events over ${weeks} weeks: both must be whole numbers from 1.`)
  if (Number.isNaN(from.getTime()))
    throw new RangeError('Cannot generate events: the first day is not a date. Give one such as 2026-01-05.')
  const shop = new Shop(seed)
  const output = await EventsFile.create(file)
  try {
    const days = weeks * 7
    const totalWeight = weeks * sum(WEEKDAYS)
    let weight = 0
    for (let day = 0; day < days; day++) {
      signal?.throwIfAborted()
      weight += WEEKDAYS[day % 7] as number
      const target = day === days - 1 ? events : Math.round((events * weight) / totalWeight)
      shop.runDay(Math.floor(from.getTime() / 1000) + day * DAY_SECONDS, Math.floor(day / 7), target)
      await output.writeSorted(shop.times, shop.lines)
      onProgress?.((day + 1) / days)
    }
  } finally {
    await output.close()
  }
  return { events: shop.events, sessions: shop.sessions, buyingSessions: shop.buyingSessions, users: shop.users }
}

/** Visitors, one session after the other, in the order of time. */
class Shop {
  events = 0
  sessions = 0
  buyingSessions = 0
  users = 0
  times: number[] = []
  lines: string[] = []
  #random: Random
  #catalogue: Catalogue
  #remembered: User[] = []
  #target = 0
  #dayEnd = 0

  constructor(seed: number) {
    this.#random = new Random(seed)
    // The shop and its products stay the same whatever the seed of the visits is.
    this.#catalogue = new Catalogue(20191001)
  }

  /** Fills `times` and `lines` with the events of one day, until there are `target` events in all. */
  runDay(start: number, week: number, target: number): void {
    this.times = []
    this.lines = []
    const before = this.events
    const total = sum(HOURS)
    let share = 0
    this.#dayEnd = start + DAY_SECONDS - 1
    for (const [hour, weight] of HOURS.entries()) {
      share += weight
      const hourTarget = before + Math.round(((target - before) * share) / total)
      const hourBefore = this.events
      this.#target = target
      while (this.events < hourTarget) {
        const done = (this.events - hourBefore) / (hourTarget - hourBefore)
        this.#visit(start + Math.floor((hour + done) * HOUR_SECONDS), week)
      }
    }
  }

  #visit(start: number, week: number): void {
    const random = this.#random
    const user = this.#user(week)
    const visitor = `${user.id},${random.uuid()}`
    this.sessions++
    const wish = user.inCart.length > 0 && random.chance(0.4) ? user.inCart[random.below(user.inCart.length)] : undefined
    const category = wish?.category ?? this.#catalogue.categories.pick(random)
    const pace = random.logNormal(42, 0.7)
    const views = Math.max(1, Math.min(150, Math.round(random.logNormal(1.75, 1.3))))
    let time = start
    let product = wish ?? this.#catalogue.pick(category, random)
    for (let i = 0; i < views; i++) {
      if (i > 0) {
        time += Math.ceil(random.logNormal(pace, 0.9))
        if (random.chance(0.5))
          product = this.#catalogue.pick(random.chance(0.85) ? category : this.#catalogue.categories.pick(random), random)
      }
      this.#emit(time, 'view', product, visitor)
    }
    const habit = user.cartSessions > 0 ? 3.5 : 1
    if (!random.chance(REACHES_CART * product.category.interest * habit)) return
    const appeal =
      0.75 * product.appeal + 0.35 * Math.min(3, user.cartSessions) + 0.12 * Math.min(4, views) + (wish ? 0.5 : 0) - (pace < 20 ? 0.8 : 0)
    let bought = this.#toCart(time, product, appeal, user, visitor)
    if (random.chance(0.1)) bought = this.#toCart(time + 40, this.#catalogue.pick(category, random), appeal, user, visitor) || bought
    user.cartSessions++
    if (bought) this.buyingSessions++
  }

  /** Whether it was bought. Who hesitates leaves soon, who buys stays for the form: the length of a session tells of its end. */
  #toCart(time: number, product: Product, appeal: number, user: User, visitor: string): boolean {
    const random = this.#random
    const cartTime = time + Math.ceil(random.logNormal(14, 0.8))
    const buys = random.chance(1 / (1 + Math.exp(-(BUYS + appeal))))
    if (!buys || random.chance(product.category.cartRecorded)) this.#emit(cartTime, 'cart', product, visitor)
    // Both may look again; only the buyer then fills in the form.
    const lookedAgain = random.chance(0.5) ? cartTime + Math.ceil(random.logNormal(60, 1)) : cartTime
    if (lookedAgain > cartTime) this.#emit(lookedAgain, 'view', product, visitor)
    if (buys) this.#emit(lookedAgain + Math.ceil(random.logNormal(45, 1)), 'purchase', product, visitor)
    user.inCart.push(product)
    return buys
  }

  #user(week: number): User {
    const random = this.#random
    if (this.#remembered.length > 0 && random.chance(RETURNS)) {
      const user = this.#remembered[random.below(this.#remembered.length)] as User
      if (user.week !== week) Object.assign(user, { week, cartSessions: 0 })
      return user
    }
    const user: User = { id: 512_000_000 + this.users * 131 + random.below(131), week, cartSessions: 0, inCart: [] }
    this.users++
    if (this.#remembered.length < REMEMBERED_USERS) this.#remembered.push(user)
    else this.#remembered[random.below(REMEMBERED_USERS)] = user
    return user
  }

  #emit(time: number, type: string, product: Product, visitor: string): void {
    if (this.events >= this.#target) return
    this.events++
    this.times.push(Math.min(time, this.#dayEnd))
    this.lines.push(`${type},${product.columns},${visitor}`)
  }
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
