/** Tasks that wait for a time. They hold no worker. */
import { DagDefinitionError, Place } from '../definition-error.ts'
import { type Duration, durationSeconds, notADuration } from '../duration.ts'
import { fromWallClock, toInstant, toWallClock } from '../instant.ts'
import type { Operator } from '../operator.ts'
import { Defer, FailTask } from '../outcome.ts'
import type { TaskContext } from '../task-context.ts'

/** Waits until `instant`, and answers it. */
function waitUntilInstant(instant: Date, context: TaskContext): string {
  if (instant.getTime() > context.now().getTime()) throw new Defer({ until: instant })
  return instant.toISOString()
}

/** Waits until an instant: a date, or a template such as `'{{ data_interval_end.add(1) }}'`. Without an offset it is read in the DAG's zone. */
export const waitUntil = ({ at }: { readonly at: Date | string }): Operator<{ readonly at: string }, string> => ({
  name: 'WaitUntil',
  args: { at: typeof at === 'string' ? at : at.toISOString() },
  async run(args, context) {
    const instant = toInstant(args.at, context.timezone)
    if (!instant) throw new FailTask(`waitUntil is given "${args.at}", which is not a date. Write one such as "2026-11-02T05:00:00Z".`)
    return waitUntilInstant(instant, context)
  },
  resume: async (_args, event, context) => afterTime(event, context),
})

/** Waits until the clocks of the DAG's zone show `time` (`'14:30'`), on the day on which the task begins. */
export function timeSensor({ time }: { readonly time: string }): Operator<{ readonly time: string }, string> {
  if (!/^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$/.test(time)) {
    throw new DagDefinitionError(`timeSensor cannot be${new Place()}.`, [
      `The time "${time}" is not a time of the day. Write one such as "14:30".`,
    ])
  }
  return {
    name: 'TimeSensor',
    args: { time },
    async run(args, context) {
      const day = toWallClock(context.firstStartedAt, context.timezone).toISOString().slice(0, 10)
      return waitUntilInstant(
        fromWallClock(new Date(`${day}T${args.time.length === 5 ? `${args.time}:00` : args.time}Z`), context.timezone),
        context,
      )
    },
    resume: async (_args, event, context) => afterTime(event, context),
  }
}

/** Waits until so much time has gone by since the end of the run's data interval. */
export function timeDeltaSensor({ delta }: { readonly delta: Duration }): Operator<{ readonly seconds: number }, string> {
  const seconds = durationSeconds(delta)
  if (seconds === null) throw new DagDefinitionError(`timeDeltaSensor cannot be${new Place()}.`, [`The delta ${notADuration(delta)}`])
  return {
    name: 'TimeDeltaSensor',
    args: { seconds },
    run: async (args, context) => waitUntilInstant(new Date(context.dataIntervalEnd.getTime() + args.seconds * 1000), context),
    resume: async (_args, event, context) => afterTime(event, context),
  }
}

function afterTime(event: { readonly value: unknown } | { readonly error: string }, context: TaskContext): string {
  if ('error' in event) throw new Error(event.error)
  return context.now().toISOString()
}
