/** Tasks that look again and again until something is there. */
import { defaults } from './defaults.ts'
import { DagDefinitionError, Place } from './definition-error.ts'
import type { SensorDocument } from './document.ts'
import { type Duration, durationSeconds, notADuration } from './duration.ts'
import { hashOf } from './hash.ts'
import type { Operator } from './operator.ts'
import { Defer, type DeferredEvent, FailTask, Reschedule, SkipTask } from './outcome.ts'
import type { TaskContext } from './task-context.ts'

/** The manner in which a sensor waits. */
export interface SensorOptions {
  /**
   * `poke` holds its worker between two looks (for short waits), `reschedule` gives it back, `deferred` looks from a process in which many wait.
   * Default `reschedule`.
   */
  readonly mode?: 'poke' | 'reschedule' | 'deferred'
  /** Between two looks. Default one minute. */
  readonly pokeInterval?: Duration
  /** Counts from the first look; retries do not begin it anew. A sensor that is out of time fails without another try. Default 7 days. */
  readonly timeout?: Duration
  /** Skipped, not failed, when it is out of time. Default false. */
  readonly softFail?: boolean
  /** Makes each wait twice as long as the one before, and up to twice that; always the same for the same look. Default false. */
  readonly exponentialBackoff?: boolean
  /** No wait is longer than this. */
  readonly maxWait?: Duration
}

/** What a look has found; `value` becomes the output of the sensor. */
export type Look<Value> = boolean | { readonly done: boolean; readonly value?: Value }

/** The options with their defaults; throws `DagDefinitionError` when one of them is not a length of time. */
export function sensorDocument(options: SensorOptions, defaultMode: SensorDocument['mode'] = 'reschedule'): SensorDocument {
  const problems: string[] = []
  const seconds = (name: 'pokeInterval' | 'timeout' | 'maxWait', value: Duration): number => {
    const found = durationSeconds(value)
    if (found === null) problems.push(`${name} ${notADuration(value)}`)
    return found ?? 0
  }
  const { mode = defaultMode } = options
  if (!['poke', 'reschedule', 'deferred'].includes(mode)) problems.push(`The mode "${mode}" is none of poke, reschedule, deferred.`)
  const document: SensorDocument = {
    mode,
    pokeIntervalSeconds: seconds('pokeInterval', options.pokeInterval ?? '60s'),
    exponentialBackoff: options.exponentialBackoff ?? false,
    maxWaitSeconds: options.maxWait === undefined ? null : seconds('maxWait', options.maxWait),
    timeoutSeconds: seconds('timeout', options.timeout ?? { seconds: defaults().sensorTimeoutSeconds }),
    softFail: options.softFail ?? false,
  }
  if (problems.length > 0) throw new DagDefinitionError(`A sensor cannot be${new Place()}.`, problems)
  return document
}

/** The operator that calls `look` until it is done. */
export function sensorOperator<Args, Value = null>(
  name: string,
  args: Args,
  sensor: SensorDocument,
  look: (args: Args, context: TaskContext) => Look<Value> | Promise<Look<Value>>,
): Operator<Args, Value> {
  const lookOnce = async (given: Args, context: TaskContext): Promise<{ readonly value: Value } | null> => {
    try {
      const found = await look(given, context)
      if (typeof found === 'boolean') return found ? { value: null as Value } : null
      return found.done ? { value: (found.value ?? null) as Value } : null
    } catch (error) {
      if (sensor.softFail && error instanceof Error && error.name === 'FailTask') throw new SkipTask(error.message)
      throw error
    }
  }
  const waitAgain = async (given: Args, context: TaskContext): Promise<Value> => {
    for (let looks = context.rescheduleCount + 1; ; looks++) {
      const found = await lookOnce(given, context)
      if (found) return found.value
      const leftSeconds = sensor.timeoutSeconds - (context.now().getTime() - context.firstStartedAt.getTime()) / 1000
      if (leftSeconds <= 0) outOfTime(sensor)
      if (sensor.mode === 'deferred') throw new Defer({ trigger: 'look', args: given, timeout: leftSeconds })
      const waitSeconds = Math.min(secondsToNextLook(sensor, looks, context), leftSeconds)
      if (sensor.mode === 'reschedule') throw new Reschedule(new Date(context.now().getTime() + waitSeconds * 1000))
      await context.sleep(waitSeconds * 1000)
    }
  }
  return {
    name,
    args,
    sensor,
    run: waitAgain,
    async resume(_args: Args, event: DeferredEvent, context: TaskContext): Promise<Value> {
      if ('value' in event) return event.value as Value
      const elapsed = (context.now().getTime() - context.firstStartedAt.getTime()) / 1000
      if (elapsed >= sensor.timeoutSeconds) outOfTime(sensor)
      throw new Error(event.error)
    },
    triggers: {
      async look(given: Args, context: TaskContext): Promise<Value> {
        for (let looks = 1; ; looks++) {
          await context.sleep(secondsToNextLook(sensor, looks, context) * 1000)
          const found = await lookOnce(given, context)
          if (found) return found.value
        }
      },
    },
  }
}

function outOfTime({ timeoutSeconds, softFail }: SensorDocument): never {
  const detail = `What the sensor looks for was not there within its timeout of ${timeoutSeconds} s.`
  throw softFail ? new SkipTask(detail) : new FailTask(detail)
}

/** After that many looks. Grown waits are spread over `[wait, 2 × wait)`, so that sensors that began together do not stay together. */
function secondsToNextLook(
  { pokeIntervalSeconds, exponentialBackoff, maxWaitSeconds }: SensorDocument,
  looks: number,
  { idempotencyKey }: TaskContext,
): number {
  if (!exponentialBackoff) return pokeIntervalSeconds
  const wait = Math.min(Math.max(1, pokeIntervalSeconds * 2 ** (looks - 1)), LONGEST_WAIT_SECONDS)
  return Math.min(wait * (1 + hashOf(`${idempotencyKey}#${looks}`) / 2 ** 32), maxWaitSeconds ?? LONGEST_WAIT_SECONDS)
}

const LONGEST_WAIT_SECONDS = 86_400
