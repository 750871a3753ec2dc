/** Asking the one who sits at the terminal. */
import { createInterface } from 'node:readline/promises'
import { AppError } from '../core/app-error.ts'
import { usageError } from './command.ts'
import type { World } from './context.ts'

type Asking = Pick<World, 'stdin' | 'stderr' | 'signal'>

export const isTerminal = (stream: World['stdin']): boolean => 'isTTY' in stream && stream.isTTY === true

/** Resolves when `isAgreed` or the answer is yes. Throws a usage error when nobody is there to ask. */
export async function confirm(world: Asking, question: string, isAgreed: boolean, command: string): Promise<void> {
  if (isAgreed) return
  if (!isTerminal(world.stdin)) throw usageError([`It would ask: ${question} Nobody is there to answer; add -y to agree.`], command)
  const answer = await ask(world, `${question} [y/N] `, command)
  if (!/^y(es)?$/i.test(answer.trim())) throw new AppError('conflict', 'Nothing was changed.')
}

/** One line from the terminal; throws a usage error without one. */
export async function ask({ stdin, stderr, signal }: Asking, question: string, command: string): Promise<string> {
  if (!isTerminal(stdin)) throw usageError([`It would ask "${question.trim()}", and nobody is there to answer.`], command)
  const reader = createInterface({ input: stdin, output: stderr, terminal: isTerminal(stdin) })
  // While a line is read, the terminal makes no signal of Ctrl-C.
  reader.on('SIGINT', () => process.kill(process.pid, 'SIGINT'))
  try {
    return await reader.question(question, { signal })
  } finally {
    reader.close()
  }
}

/** As `ask`, without showing what is typed. */
export async function askSecret(world: Asking, question: string, command: string): Promise<string> {
  if (isTerminal(world.stdin)) world.stderr.write(question)
  const silent = Object.assign(Object.create(world.stderr) as NodeJS.WriteStream, { write: () => true })
  const answer = await ask({ stdin: world.stdin, signal: world.signal, stderr: silent }, question, command)
  world.stderr.write('\n')
  return answer
}

/** All that is piped in, without the end of its last line; throws a usage error when there is nobody but a terminal. */
export async function readPiped(stdin: World['stdin'], command: string): Promise<string> {
  if (isTerminal(stdin)) throw usageError(['Nothing is piped in.'], command)
  let text = ''
  for await (const chunk of stdin.setEncoding('utf8')) text += chunk
  return text.replace(/\r?\n$/, '')
}
