/** `macros` of templates, under Airflow's names. */
import { fromWallClock } from '@daggerboard/dag'
import { AppError } from '../core/app-error.ts'
import { RelativeDelta, WEEKDAYS } from './relative-delta.ts'
import { formatDate, parseDate } from './strftime.ts'
import { TemplateDate } from './template-date.ts'
import { UUIDS } from './template-uuid.ts'
import { json } from './template-values.ts'
import { TimeDelta } from './time-delta.ts'

/** Marks functions that have members of their own. */
export const WITH_MEMBERS = Symbol('with members')

/** What `datetime.strptime` and its like make; instants without a zone are in UTC. */
const datetime = Object.assign(
  (year: number, month: number, day: number, hour = 0, minute = 0, second = 0): TemplateDate =>
    new TemplateDate(new Date(Date.UTC(year, month - 1, day, hour, minute, second))),
  {
    [WITH_MEMBERS]: true,
    now: () => new TemplateDate(new Date()),
    utcnow: () => new TemplateDate(new Date()),
    today: () => new TemplateDate(new Date()),
    strptime: readDate,
    fromisoformat: (text: string) => instantOf(text),
    fromtimestamp: (seconds: number) => new TemplateDate(new Date(seconds * 1000)),
  },
)

function instantOf(text: unknown): TemplateDate {
  if (text instanceof TemplateDate) return text
  const written = String(text)
  const at = new Date(/([zZ]|[+-]\d\d:?\d\d)$|^\d{4}-\d\d-\d\d$/.test(written) ? written : `${written.replace(' ', 'T')}Z`)
  if (Number.isNaN(at.getTime())) throw new AppError('invalid', `"${written}" is not a date. Write one such as 2019-10-07T05:00:00Z.`)
  return new TemplateDate(at)
}

const pick = <Item>(items: readonly Item[]): Item | undefined => items[Math.floor(Math.random() * items.length)]

function readDate(text: string, format: string): TemplateDate {
  const { wall, offset, microseconds } = parseDate(text, format)
  if (offset === null || offset === '+00:00') return new TemplateDate(wall, 'UTC', microseconds)
  return new TemplateDate(fromWallClock(wall, offset), offset, microseconds)
}

function readJson(text: unknown): unknown {
  try {
    return JSON.parse(String(text))
  } catch {
    // The cause repeats some of what it read, and there may be secrets in it.
    throw new AppError('invalid', 'macros.json.loads was given what is not JSON.')
  }
}

export const MACROS = {
  datetime,
  timedelta: (...args: readonly unknown[]) => TimeDelta.of(...args),
  dateutil: {
    parser: { parse: instantOf },
    relativedelta: { ...WEEKDAYS, relativedelta: (...args: readonly unknown[]) => RelativeDelta.of(...args) },
  },
  time: { time: () => Date.now() / 1000, strftime: (format: string) => formatDate(new Date(), format) },
  uuid: UUIDS,
  json: { dumps: json, loads: readJson },
  /** `macros.random()` is a number of [0, 1). */
  random: Object.assign(() => Math.random(), {
    [WITH_MEMBERS]: true,
    random: () => Math.random(),
    randint: (from: number, to: number) => from + Math.floor(Math.random() * (to - from + 1)),
    choice: pick,
  }),
  /** `ds_add("2019-10-07", 7)` is `2019-10-14`. */
  ds_add: (day: string, days: number): string => readDate(day, '%Y-%m-%d').add(days).to_date_string(),
  /** `ds_format("2019-10-07", "%Y-%m-%d", "%d.%m.%Y")`. */
  ds_format: (day: string, input: string, output: string): string => formatDate(parseDate(day, input).wall, output),
  datetime_diff_for_humans: (at: unknown, since: unknown = null): string =>
    instantOf(at).diff_for_humans(since === null ? undefined : instantOf(since)),
}
