/** The server's own log: one line each on the error stream, so that the output belongs to the command. */
import type { Logger } from '../core/logger.ts'

const line =
  (level: string) =>
  (message: string, facts: Record<string, unknown> = {}): void => {
    const told = Object.entries(facts).map(
      ([name, value]) =>
        ` ${name}=${value instanceof Error ? (value.stack ?? value.message) : typeof value === 'string' ? value : JSON.stringify(value)}`,
    )
    process.stderr.write(`${new Date().toISOString()} ${level} ${message}${told.join('')}\n`)
  }

export const consoleLogger: Logger = { info: line('info'), warn: line('warn'), error: line('error') }
