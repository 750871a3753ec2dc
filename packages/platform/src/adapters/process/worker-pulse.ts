/** Whether a worker in which many wait still lets them: one of them that lets nothing else run holds up all. */

const BEAT_MS = 5_000
/** So many beats in a row may be missing: 30 s. Beats are counted, not time, so that a platform which was held up itself blames nobody for that. */
const MOST_MISSING = 6

export class Pulse {
  readonly #ask: () => void
  readonly #onMissing: () => void
  readonly #milliseconds: number
  #timer: NodeJS.Timeout | null = null
  #missing = 0

  /** `ask` asks the worker for a sign of life; `onMissing` is called once when none has come for long. */
  constructor(ask: () => void, onMissing: () => void, milliseconds = BEAT_MS) {
    this.#ask = ask
    this.#onMissing = onMissing
    this.#milliseconds = milliseconds
  }

  /** May be called again. */
  start(): void {
    this.#timer ??= setInterval(() => this.#beat(), this.#milliseconds).unref()
  }

  /** The worker has given a sign of life. */
  heard(): void {
    this.#missing = 0
  }

  stop(): void {
    if (this.#timer) clearInterval(this.#timer)
    this.#timer = null
    this.#missing = 0
  }

  #beat(): void {
    if (this.#missing++ < MOST_MISSING) this.#ask()
    else {
      this.stop()
      this.#onMissing()
    }
  }
}
