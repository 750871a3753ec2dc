/** The steps of a build as a graph: which may start, what the end of one means for the others. */
import { type Build, moveTo, type Step, stepName } from './build.ts'
import { BuildEnded, type Execution } from './build-execution.ts'
import { linePrefix } from './build-log.ts'
import { parseDuration } from './duration.ts'
import { LastWords } from './last-words.ts'

/**
 * Runs every step, each as soon as those it waits for are done. The first failure cancels the steps that run and throws `BuildEnded`
 * once they are gone; an aborted `signal` does the same.
 */
export async function runSteps(build: Build, execution: Execution, signal: AbortSignal): Promise<void> {
  const failFast = new AbortController()
  const running = new Map<number, Promise<void>>()
  let failure: unknown
  while (true) {
    if (!failure && !signal.aborted)
      for (const index of readySteps(build.steps)) {
        const run = runStep(build, index, execution, AbortSignal.any([signal, failFast.signal]))
        running.set(
          index,
          run
            .catch((error: unknown) => {
              failure ??= error
              failFast.abort(new BuildEnded('CANCELLED', 'Another step failed.'))
            })
            .finally(() => running.delete(index)),
        )
      }
    if (running.size === 0) break
    await Promise.race(running.values())
  }
  signal.throwIfAborted()
  if (failure) throw failure
}

/** The steps that may start now. */
const readySteps = (steps: readonly Step[]): number[] =>
  steps.flatMap((step, index) => (step.status === 'QUEUED' && dependencies(steps, index).every(isDone) ? [index] : []))

/** Without `waitFor`: all steps before this one; `-` is nothing. */
function dependencies(steps: readonly Step[], index: number): Step[] {
  const { waitFor = [] } = steps[index] ?? {}
  const earlier = steps.slice(0, index)
  return waitFor.length === 0 ? earlier : earlier.filter((other) => other.id !== undefined && waitFor.includes(other.id))
}

const isDone = (step: Step): boolean => step.status === 'SUCCESS' || (step.status === 'FAILURE' && mayFail(step))

const mayFail = (step: Step): boolean =>
  step.allowFailure === true || (step.exitCode !== undefined && (step.allowExitCodes ?? []).includes(step.exitCode))

async function runStep(build: Build, index: number, execution: Execution, signal: AbortSignal): Promise<void> {
  const { clock, driver, token } = execution
  const step = build.steps[index] as Step
  const many = build.steps.length > 1
  const over = new AbortController()
  const timeout = new AbortController()
  if (step.timeout) void clock.sleep(parseDuration(step.timeout) ?? 0, over.signal).then(() => timeout.abort())
  moveTo(step, 'WORKING')
  step.timing = { startTime: clock.now().toISOString() }
  if (many) execution.log(`Starting ${stepName(step, index)}`)
  await execution.changed()
  try {
    const prefix = linePrefix(build, index)
    const lastWords = new LastWords()
    const log = (line: string) => execution.log(`${prefix}${line}`)
    const { exitCode, output } = await driver.runStep(build, index, environmentOf(build, step), {
      token,
      signal: AbortSignal.any([signal, timeout.signal]),
      log,
      output: (line) => {
        lastWords.hear(line)
        log(line)
      },
    })
    step.exitCode = exitCode
    if (output !== '') keepOutput(build, index, output)
    moveTo(step, exitCode === 0 ? 'SUCCESS' : 'FAILURE')
    if (many) execution.log(`Finished ${stepName(step, index)}`)
    if (!isDone(step))
      throw new BuildEnded(
        'FAILURE',
        `Build step failure: build step ${index} "${step.name}" failed: step exited with non-zero status: ${exitCode}`,
        'USER_BUILD_STEP',
        lastWords.reason(),
      )
  } catch (error) {
    if (step.status === 'WORKING') moveTo(step, timeout.signal.aborted ? 'TIMEOUT' : signal.aborted ? 'CANCELLED' : 'FAILURE')
    if (step.status === 'TIMEOUT')
      throw new BuildEnded('TIMEOUT', `build step ${index} "${step.name}" timed out after ${step.timeout}`, 'USER_BUILD_STEP')
    throw error
  } finally {
    over.abort()
    step.timing.endTime = clock.now().toISOString()
    await execution.changed()
  }
}

/** The build's variables, then the step's own, which win; before both, every substitution where the build asks for that. */
function environmentOf({ options, substitutions }: Build, step: Step): Record<string, string> {
  const automaps = step.automapSubstitutions ?? options?.automapSubstitutions ?? false
  const entries = [...(options?.env ?? []), ...(step.env ?? [])].map((entry): [string, string] => {
    const equals = entry.indexOf('=')
    return [entry.slice(0, equals), entry.slice(equals + 1)]
  })
  return { ...(automaps ? substitutions : {}), ...Object.fromEntries(entries) }
}

function keepOutput(build: Build, index: number, output: string): void {
  const outputs = Array.from({ length: build.steps.length }, (_, i) => build.results?.buildStepOutputs?.[i] ?? '')
  outputs[index] = output
  build.results = { ...build.results, buildStepOutputs: outputs }
}
