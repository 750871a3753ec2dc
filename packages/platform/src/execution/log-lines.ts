/** Makes the lines of a log out of text that comes in pieces: whole, with their time, masked, and not more than a bound. Pure. */

export interface LogLinesOptions {
  readonly now: () => Date
  readonly mask: (text: string) => string
  /** Receives whole lines. */
  readonly onText: (text: string) => void
  /** Of a longer log the beginning is kept, as much as this, and the end, in characters. */
  readonly longest?: number
}

/** A line that never ends is written out in pieces of this many characters. */
const MAX_LINE = 64 * 1024
const LONGEST_SECRET = 8 * 1024
const LONGEST_LOG = 64 * 1024 * 1024
const LONGEST_END = 256 * 1024

/** Lines are kept together until they end, so that no secret is cut in two before it is masked. */
export class LogLines {
  readonly #options: LogLinesOptions
  readonly #longest: number
  #rest = ''
  #length = 0
  /** The end of a log that is too long, until it is closed. */
  readonly #end: string[] = []
  #endLength = 0
  #leftOut = 0

  constructor(options: LogLinesOptions) {
    this.#options = options
    this.#longest = options.longest ?? LONGEST_LOG
  }

  write(text: string): void {
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop() ?? ''
    if (this.#rest.length > MAX_LINE + LONGEST_SECRET) {
      // Masked before it is cut, and what may be the beginning of a secret stays.
      const masked = this.#options.mask(this.#rest)
      lines.push(masked.slice(0, -LONGEST_SECRET))
      this.#rest = masked.slice(-LONGEST_SECRET)
    }
    if (lines.length === 0) return
    const at = this.#options.now().toISOString()
    if (this.#length > this.#longest) {
      this.#keepEnd(lines, at)
      return
    }
    const kept = lines.map((line) => this.#line(line, at)).join('')
    this.#length += kept.length
    this.#options.onText(kept)
  }

  close(): void {
    if (this.#rest !== '') this.write('\n')
    if (this.#length <= this.#longest) return
    const at = this.#options.now().toISOString()
    const told = this.#leftOut > 0 ? this.#line(`… ${this.#leftOut} lines are left out: the log is too long. …`, at) : ''
    this.#options.onText(told + this.#end.join(''))
    this.#end.length = 0
  }

  #line(line: string, at: string): string {
    return `${at} ${this.#options.mask(line.endsWith('\r') ? line.slice(0, -1) : line)}\n`
  }

  #keepEnd(lines: readonly string[], at: string): void {
    for (const line of lines) {
      const whole = this.#line(line, at)
      this.#end.push(whole)
      this.#endLength += whole.length
    }
    let gone = 0
    while (this.#endLength > LONGEST_END && gone < this.#end.length) this.#endLength -= this.#end[gone++]?.length ?? 0
    this.#end.splice(0, gone)
    this.#leftOut += gone
  }
}
