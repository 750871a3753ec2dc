/** What a command writes: finished lines, and on a real terminal one living line below them. */

export class Terminal {
  readonly #stream: NodeJS.WriteStream
  readonly #began = Date.now()
  #status = ''
  #ticker: NodeJS.Timeout | null = null

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream
  }

  line(text = ''): void {
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

  #elapsed(): string {
    const seconds = Math.floor((Date.now() - this.#began) / 1000)
    return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
  }

  #redraw(): void {
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
