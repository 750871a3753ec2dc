/** Why a step failed, in its own words: the line of its output that tells it, for people who have not opened the log. */
import { stripVTControlCharacters } from 'node:util'

const KEPT_LINES = 200
const LONGEST_REASON = 1000

/** What stands around an error and never tells why: stack frames, brackets, counts of tests, npm's account of its own. */
const NOISE = [
  /^at /,
  /^Node\.js v\d/,
  /^[\s{}[\]()^~|-]*$/,
  /^[ℹ#] (tests|suites|pass|fail|cancelled|skipped|todo|duration_ms)\b/,
  /^✖ failing tests:$/,
  /^(generatedMessage|code|actual|expected|operator|diff|errno|syscall): /,
  /^npm (notice|warn)\b/,
  /^npm (error|ERR!) (code|path|command|workspace|location|errno|syscall|signal|A complete log|Lifecycle script)\b/,
]

/** Statuses in capitals (`FAILURE`) stand in tables as well, so they do not count. */
const ERROR_LIKE =
  /(^|\W)(✖|not ok|ERROR|FAILED|FATAL|([A-Z]\w*)?(Error|Exception)|[Ff]atal|[Ee]rrors?|[Ff]ail(ed|s|ure)?|[Cc]annot|[Cc]ould not|[Rr]efused|[Dd]enied|[Nn]ot found|[Nn]o such|[Mm]issing|[Ii]nvalid|[Uu]nknown|[Uu]nable)($|\W)/
const FAILED_TEST = /^(?:✖|not ok \d+ -) (.*?)(?: \([\d.]+ms\))?$/

/** Hears what a step writes and keeps its end. */
export class LastWords {
  #lines: string[] = []

  hear(line: string): void {
    this.#lines.push(line)
    if (this.#lines.length > 2 * KEPT_LINES) this.#lines = this.#lines.slice(-KEPT_LINES)
  }

  /** The last line that looks like an error, else the last one that says anything; null for a step that said nothing. */
  reason(): string | null {
    const lines = this.#lines
      .slice(-KEPT_LINES)
      .map((line) => stripVTControlCharacters(line).trim())
      .filter((line) => !NOISE.some((noise) => noise.test(line)))
    const index = lines.findLastIndex((line) => ERROR_LIKE.test(line))
    const line = lines.at(index)
    if (line === undefined) return null
    // A message that ends in a colon goes on; a failed test is known by its title.
    const message = index >= 0 && line.endsWith(':') && lines[index + 1] ? `${line} ${lines[index + 1]}` : line
    const test = index > 0 ? FAILED_TEST.exec(lines[index - 1] ?? '')?.[1] : undefined
    return (test === undefined ? (FAILED_TEST.exec(message)?.[1] ?? message) : `${test}: ${message}`).slice(0, LONGEST_REASON)
  }
}
