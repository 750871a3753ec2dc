/** Commands that come at the same time: one turn and one commit for all of them, and an answer for each. */
import { Fault } from './fault.ts'
import type { Turn } from './turn.ts'

interface CommandBatchOptions {
  /** Makes one turn, kept when it resolves. */
  readonly make: (work: (turn: Turn) => Promise<void>) => Promise<void>
  /** Whether the store cannot be used just now, whatever it is given. */
  readonly isOutage: (error: unknown) => boolean
  /** Something may follow from what was done. */
  readonly onEnd: () => void
}

interface Pending {
  readonly work: (turn: Turn) => Promise<unknown>
  readonly resolve: (result: unknown) => void
  readonly reject: (error: unknown) => void
}

interface Done {
  readonly command: Pending
  /** It is through with this turn, and has nothing in its commit. */
  readonly isComplete: boolean
  readonly answer: () => void
}

export class CommandBatch {
  readonly #options: CommandBatchOptions
  #pending: Pending[] = []

  constructor(options: CommandBatchOptions) {
    this.#options = options
  }

  /** Does `work` in the next turn. When several share one that fails, each that has moved something is tried once more alone, unless the store is away. */
  add<T>(work: (turn: Turn) => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#pending.push({ work, resolve: resolve as (result: unknown) => void, reject })
      if (this.#pending.length === 1) void this.#runAll()
    })
  }

  async #runAll(): Promise<void> {
    try {
      await this.#run(() => this.#pending.splice(0))
    } catch (error) {
      // It has not come to the turn: what the board is read from is away.
      for (const { reject } of this.#pending.splice(0)) reject(error)
    } finally {
      // Also after one that has moved nothing on the board, or has failed: a backfill is there, a run is gone, all is to be read again.
      this.#options.onEnd()
    }
  }

  async #run(take: () => readonly Pending[]): Promise<void> {
    let commands: readonly Pending[] = []
    const done: Done[] = []
    try {
      await this.#options.make(async (turn) => {
        commands = take()
        for (const command of commands) done.push(await doOne(command, turn))
      })
    } catch (error) {
      if (commands.length === 0) throw error
      const complete = done.filter(({ isComplete }) => isComplete)
      for (const { answer } of complete) answer()
      const left = commands.filter((command) => !complete.some((one) => one.command === command))
      // What was at fault besides is held now.
      const isHopeless = (commands.length === 1 && !(error instanceof Fault)) || this.#options.isOutage(error)
      for (const command of left) {
        if (isHopeless) command.reject(error)
        else await this.#run(() => [command]).catch(command.reject)
      }
      return
    }
    for (const { answer } of done) answer()
  }
}

/** Throws when it has moved something before it was refused: the turn is not to be kept then. */
async function doOne(command: Pending, turn: Turn): Promise<Done> {
  const before = turn.moves
  try {
    const result = await command.work(turn)
    return { command, isComplete: turn.moves === before, answer: () => command.resolve(result) }
  } catch (error) {
    if (turn.moves !== before) throw error
    return { command, isComplete: true, answer: () => command.reject(error) }
  }
}
