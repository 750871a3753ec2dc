/** What a command writes: finished lines, and on a real terminal one living line below them. */

export class Terminal {
  readonly #stream: NodeJS.WriteStream
  readonly #began = Date.now()
  #status = ''
  #ticker: NodeJS.Timeout | null = null
  /** Lines that wait while somebody is asked something. */
  #kept: string[] | null = null

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream
  }

  line(text = ''): void {
    if (this.#kept) return void this.#kept.push(text)
    this.#clear()
    this.#stream.write(`${text}\n`)
    this.#draw()
  }

  /** A line with the time since the command began. */
  event(text: string): void {
    this.line(`${this.#elapsed().padStart(6)}  ${text}`)
  }

  /** What goes on right now; shown with running seconds where there is a terminal. Empty: nothing. */
  status(text: string): void {
    this.#clear()
    this.#status = text
    this.#draw()
    if (!this.#stream.isTTY) return
    if (text !== '') this.#ticker ??= setInterval(() => this.#redraw(), 1000)
    else if (this.#ticker) {
      clearInterval(this.#ticker)
      this.#ticker = null
    }
  }

  /** Writes nothing between the lines of `work`, which asks somebody; what there is to say meanwhile comes after it. */
  async alone<T>(work: () => Promise<T>): Promise<T> {
    this.#clear()
    this.#kept = []
    try {
      return await work()
    } finally {
      const kept = this.#kept
      this.#kept = null
      for (const text of kept) this.line(text)
    }
  }

  #elapsed(): string {
    const seconds = Math.floor((Date.now() - this.#began) / 1000)
    return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
  }

  #redraw(): void {
    if (this.#kept) return
    this.#clear()
    this.#draw()
  }

  #clear(): void {
    if (this.#stream.isTTY && this.#status !== '') this.#stream.write('\r\x1b[2K')
  }

  #draw(): void {
    if (this.#stream.isTTY && this.#status !== '')
      this.#stream.write(`${this.#elapsed().padStart(6)}  ${this.#status}`.slice(0, (this.#stream.columns || 80) - 1))
  }
}
