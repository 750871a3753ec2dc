#!/usr/bin/env node
/** The program `pipeline`, to be run in the folder of a model project. */
import { runCommand } from './command.ts'

const stop = new AbortController()
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort(new Error(`stopped by ${name}`)))

process.exitCode = await runCommand(process.argv.slice(2), {
  root: process.cwd(),
  signal: stop.signal,
  print: (line) => console.log(line),
  printError: (line) => console.error(line),
  now: () => new Date(),
})
