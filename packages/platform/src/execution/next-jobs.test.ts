/** Both sides of a shared worker, with messages under way between them: what each believes of who has begun. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { generator, whole } from '../../test/cron-walk.ts'
import { type NextJob, NextJobs } from './next-jobs.ts'

type ToWorker = { start: NextJob; isNext: boolean } | { abort: number } | 'withdraw'
type ToPlatform = { withdrawn: number } | { done: number; isLast: boolean }

/** One worker of so many places and its platform, by the rules of the two of them. Messages arrive when `step` says so, in their order. */
class World {
  readonly toWorker: ToWorker[] = []
  readonly toPlatform: ToPlatform[] = []
  readonly places: number
  readonly sent: number[] = []
  /** Those that began in the place of another, in their order. */
  readonly begun = { platform: [] as number[], worker: [] as number[] }
  readonly runs = { platform: new Set<number>(), worker: new Set<number>() }
  readonly over = new Set<number>()
  readonly #next = { platform: new NextJobs<NextJob>(), worker: new NextJobs<NextJob>() }
  #jobs = 0
  #isClosed = { platform: false, worker: false }

  constructor(places: number) {
    this.places = places
  }

  get waiting(): number {
    return this.#next.platform.size
  }

  send(): void {
    const job = ++this.#jobs
    const { size } = this.runs.platform
    if (this.#isClosed.platform) return
    const isNext = size >= this.places
    const start = { job, heard: this.#next.platform.ends }
    this.sent.push(job)
    if (isNext) assert.equal(this.#next.platform.add(start), null)
    else this.runs.platform.add(job)
    // A place is only free for somebody new while nobody waits for it.
    if (!isNext) assert.equal(this.waiting, 0)
    this.toWorker.push({ start, isNext })
  }

  abort(job: number): void {
    if (this.#next.platform.has(job)) this.toWorker.push({ abort: job })
  }

  withdraw(): void {
    this.toWorker.push('withdraw')
  }

  end(job: number, isLast: boolean): void {
    this.runs.worker.delete(job)
    this.#isClosed.worker ||= isLast
    this.toPlatform.push({ done: job, isLast: this.#isClosed.worker })
    if (this.#isClosed.worker) this.#withdrawAll()
    else this.#beginInWorker(this.#next.worker.ended())
  }

  hearInWorker(): void {
    const message = this.toWorker.shift()
    if (!message) return
    if (message === 'withdraw') this.#withdrawAll()
    else if ('abort' in message) this.#putOff(this.#next.worker.take(message.abort))
    else if (!message.isNext) this.runs.worker.add(message.start.job)
    else {
      this.#beginInWorker(this.#next.worker.add(message.start))
      if (this.#isClosed.worker) this.#withdrawAll()
    }
    assert.ok(this.runs.worker.size <= this.places, 'more run than there are places')
  }

  hearInPlatform(): void {
    const message = this.toPlatform.shift()
    if (!message) return
    if ('withdrawn' in message) {
      assert.ok(this.#next.platform.take(message.withdrawn), 'what the platform takes for begun is not put off')
      this.over.add(message.withdrawn)
      return
    }
    assert.ok(this.runs.platform.delete(message.done), 'what ends has begun, as the platform knows')
    this.over.add(message.done)
    this.#isClosed.platform ||= message.isLast
    const begins = message.isLast ? null : this.#next.platform.ended()
    if (!begins) return
    this.begun.platform.push(begins.job)
    this.runs.platform.add(begins.job)
  }

  /** All that is said is heard. */
  settle(): void {
    while (this.toWorker.length + this.toPlatform.length > 0) {
      this.hearInWorker()
      this.hearInPlatform()
    }
    assert.deepEqual(this.begun.platform, this.begun.worker)
    assert.deepEqual(this.runs.platform, this.runs.worker)
    assert.equal(this.#next.platform.size, this.#next.worker.size)
    if (this.waiting > 0) assert.ok(this.runs.worker.size > 0, 'somebody waits for an end that never comes')
  }

  #beginInWorker(one: NextJob | null): void {
    if (!one) return
    this.begun.worker.push(one.job)
    this.runs.worker.add(one.job)
  }

  #putOff(one: NextJob | null): void {
    if (one) this.toPlatform.push({ withdrawn: one.job })
  }

  #withdrawAll(): void {
    for (const one of this.#next.worker.clear()) this.#putOff(one)
  }
}

const pick = (random: () => number, from: Iterable<number>): number | undefined => {
  const all = [...from]
  return all[whole(random, 0, all.length - 1)]
}

test('whatever the delays, both sides agree who begins; in the order of coming, and nobody waits while a place is free', () => {
  for (let seed = 1; seed <= 2_000; seed++) {
    const random = generator(seed)
    const world = new World(whole(random, 1, 4))
    const closes = random() < 0.3
    for (let step = 0; step < 200; step++) {
      const what = random()
      if (what < 0.3) world.send()
      else if (what < 0.5) world.hearInWorker()
      else if (what < 0.7) world.hearInPlatform()
      else if (what < 0.9) {
        const job = pick(random, world.runs.worker)
        if (job !== undefined) world.end(job, closes && random() < 0.02)
      } else if (what < 0.98) {
        const job = pick(random, world.sent)
        if (job !== undefined) world.abort(job)
      } else world.withdraw()
      // One side may be ahead of the other, and never of another mind.
      const { platform, worker } = world.begun
      const both = Math.min(platform.length, worker.length)
      assert.deepEqual(platform.slice(0, both), worker.slice(0, both), `seed ${seed}`)
    }
    world.settle()
    for (let job = pick(random, world.runs.worker); job !== undefined; job = pick(random, world.runs.worker)) {
      world.end(job, false)
      world.settle()
    }
    assert.equal(world.waiting, 0, `seed ${seed}`)
    assert.deepEqual([...world.over].sort(byNumber), world.sent, `seed ${seed}`)
    assert.deepEqual(world.begun.worker, [...world.begun.worker].sort(byNumber), `seed ${seed}`)
  }
})

const byNumber = (a: number, b: number): number => a - b

test('a job begins at once when one has ended of which the platform did not know, and else with the next end', () => {
  const next = new NextJobs<NextJob>()
  assert.equal(next.ended(), null)
  const [first, second, third] = [1, 2, 3].map((job) => ({ job, heard: 0 })) as [NextJob, NextJob, NextJob]
  assert.equal(next.add(first), first)
  assert.equal(next.add(second), null)
  assert.equal(next.add(third), null)
  assert.equal(next.take(2), second)
  assert.equal(next.take(2), null)
  assert.equal(next.ended(), third)
  assert.equal(next.add({ job: 4, heard: 2 }), null)
  assert.deepEqual([next.size, next.has(4), next.ends], [1, true, 2])
  assert.deepEqual(next.clear(), [{ job: 4, heard: 2 }])
})
