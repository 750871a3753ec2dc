/** Ends work that computes and lets nothing else run, such as a regular expression that goes back and forth without end. */
import { Script } from 'node:vm'

const WORK = Symbol.for('daggerboard.work-with-a-deadline')
/** Only code that the engine runs as a script can be interrupted, so the script calls the work. */
const script = new Script(`globalThis[Symbol.for('${WORK.description}')]()`)

/** What synchronous `work` answers; null when it takes longer. Costs a thread each time: a quarter of a millisecond. */
export function within<T>(milliseconds: number, work: () => T): { readonly answer: T } | null {
  let answer: T | undefined
  Reflect.set(globalThis, WORK, () => {
    answer = work()
  })
  try {
    script.runInThisContext({ timeout: milliseconds })
    return { answer: answer as T }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return null
    throw error
  } finally {
    Reflect.deleteProperty(globalThis, WORK)
  }
}
