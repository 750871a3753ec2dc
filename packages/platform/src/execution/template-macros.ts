/** `macros` of templates, under Airflow's names. */
import { randomUUID } from 'node:crypto'
import { AppError } from '../core/app-error.ts'
import { formatDate, parseDate, TemplateDate } from './template-date.ts'
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
    strptime: (text: string, format: string) => new TemplateDate(parseDate(text, format)),
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

const SPANS: readonly (readonly [name: string, seconds: number])[] = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['week', 604_800],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
]

/** `2 hours ago`, `in 3 days`; of two instants `2 hours before`, `3 days after`. */
function humanDifference(at: unknown, since: unknown = null): string {
  const other = since === null || since === undefined ? Date.now() : instantOf(since).milliseconds
  const seconds = (instantOf(at).milliseconds - other) / 1000
  const size = Math.abs(seconds)
  const [name, length] = SPANS.find(([, span]) => size >= span) ?? ['second', 1]
  const count = Math.max(1, Math.floor(size / length))
  const span = `${count} ${name}${count === 1 ? '' : 's'}`
  if (since !== null && since !== undefined) return `${span} ${seconds < 0 ? 'before' : 'after'}`
  return seconds < 0 ? `${span} ago` : `in ${span}`
}

export const MACROS = {
  datetime,
  timedelta: (...args: readonly unknown[]) => TimeDelta.of(...args),
  dateutil: { parser: { parse: instantOf } },
  time: { time: () => Date.now() / 1000, strftime: (format: string) => formatDate(new Date(), format) },
  uuid: { uuid4: () => randomUUID() },
  /** `macros.random()` is a number of [0, 1). */
  random: Object.assign(() => Math.random(), {
    [WITH_MEMBERS]: true,
    random: () => Math.random(),
    randint: (from: number, to: number) => from + Math.floor(Math.random() * (to - from + 1)),
    choice: pick,
  }),
  /** `ds_add("2019-10-07", 7)` is `2019-10-14`. */
  ds_add: (day: string, days: number): string => new TemplateDate(parseDate(day, '%Y-%m-%d')).add(days).to_date_string(),
  /** `ds_format("2019-10-07", "%Y-%m-%d", "%d.%m.%Y")`. */
  ds_format: (day: string, input: string, output: string): string => formatDate(parseDate(day, input), output),
  datetime_diff_for_humans: humanDifference,
}
