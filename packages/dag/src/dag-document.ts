/** What the scheduler sees of a DAG. */
import type { DagOptions } from './dag-options.ts'
import { deadlineDocument } from './deadline.ts'
import { defaults } from './defaults.ts'
import type { DagDocument, GroupDocument } from './document.ts'
import { durationSeconds, notADuration } from './duration.ts'
import { type Group, mappedGroupOf } from './group.ts'
import { toInstant } from './instant.ts'
import { DAG_OPTIONS, GROUP_OPTIONS, unknownOptions } from './option-names.ts'
import { paramDocuments } from './param.ts'
import { plain, wholeNumber } from './plain.ts'
import { type ScheduleDocument, scheduleDocument } from './schedule.ts'
import { callbackList, type Task } from './task.ts'
import { expandDocument, taskDocument } from './task-document.ts'

/** What is wrong goes to `problems`. */
export function dagDocument(
  dagId: string,
  options: DagOptions,
  groups: readonly Group[],
  tasks: ReadonlyMap<string, Task>,
  problems: string[],
): DagDocument {
  const {
    timezone,
    maxActiveRuns,
    maxActiveTasks,
    maxConsecutiveFailedRuns,
    catchup,
    tasksPerWorker = 1,
  } = { ...defaults(), ...given(options) }
  problems.push(...unknownOptions(options, DAG_OPTIONS))
  if (typeof catchup !== 'boolean') problems.push(`catchup is ${JSON.stringify(catchup)}; it must be true or false.`)
  const isKnownZone = isTimezone(timezone)
  if (!isKnownZone) problems.push(`The time zone "${timezone}" is unknown. Write an IANA name such as "Europe/Paris".`)
  const instant = (name: string, value: Date | string): string | null => {
    if (!isKnownZone) return null
    const found = toInstant(value, timezone)
    if (!found) problems.push(`${name} "${value}" is not a date. Write one such as "2019-10-07" or "2019-10-07T05:00:00Z".`)
    return found?.toISOString() ?? null
  }
  const schedule = scheduleDocument(options.schedule ?? null, isKnownZone ? timezone : 'UTC')
  if (typeof schedule === 'string') problems.push(schedule)
  else problems.push(...scheduleProblems(schedule, maxActiveRuns))
  const about = `The params of DAG "${dagId}"`
  const params = paramDocuments(options.params ?? {}, about, problems)
  if (params.required.length > 0 && typeof schedule !== 'string' && schedule.kind !== 'none') {
    problems.push(
      `${about} have no default for "${params.required.join('", "')}", so it cannot have a schedule. Give a default, or leave the schedule out.`,
    )
  }
  const runTimeoutSeconds = options.runTimeout === undefined ? null : durationSeconds(options.runTimeout)
  if (options.runTimeout !== undefined && runTimeoutSeconds === null) problems.push(`runTimeout ${notADuration(options.runTimeout)}`)
  const taskDocuments = [...tasks.values()].map((task) => taskDocument(task, tasks, problems))
  if (options.failFast) {
    const other = taskDocuments.find(({ triggerRule, role }) => triggerRule !== 'all_success' && role !== 'teardown')
    if (other)
      problems.push(`failFast needs the trigger rule "all_success" everywhere, but task "${other.taskId}" has "${other.triggerRule}".`)
  }
  return {
    dagId,
    description: options.description ?? null,
    docMd: options.docMd ?? null,
    schedule: typeof schedule === 'string' ? { kind: 'none' } : schedule,
    timezone,
    startDate: options.startDate === undefined ? null : instant('startDate', options.startDate),
    endDate: options.endDate === undefined ? null : instant('endDate', options.endDate),
    catchup,
    maxActiveRuns: wholeNumber(maxActiveRuns, 1, 'maxActiveRuns', problems),
    maxActiveTasks: wholeNumber(maxActiveTasks, 1, 'maxActiveTasks', problems),
    maxConsecutiveFailedRuns: wholeNumber(maxConsecutiveFailedRuns, 0, 'maxConsecutiveFailedRuns', problems),
    runTimeoutSeconds,
    failFast: options.failFast ?? false,
    tasksPerWorker: wholeNumber(tasksPerWorker, 1, 'tasksPerWorker', problems),
    isPausedUponCreation: options.isPausedUponCreation ?? null,
    tags: [...(options.tags ?? [])],
    owners: [...new Set(taskDocuments.map((task) => task.owner))],
    params: plain(params.values, about, problems) as Record<string, unknown>,
    paramSchemas: plain(params.schemas, about, problems) as DagDocument['paramSchemas'],
    deadlines: (options.deadlines ?? []).map((deadline) => deadlineDocument(deadline, instant, problems)),
    callbacks: { onSuccess: callbackList(options.onSuccess).length > 0, onFailure: callbackList(options.onFailure).length > 0 },
    groups: groups.map((group) => groupDocument(group, problems)),
    templateSearchPath: searchPath(options, problems),
    rendersNative: options.rendersNative ?? false,
    tasks: taskDocuments,
  }
}

function groupDocument(group: Group, problems: string[]): GroupDocument {
  const { expand, tooltip = null } = group.options
  const complaints = unknownOptions(group.options, GROUP_OPTIONS).map((problem) => `: ${problem}`)
  const around = mappedGroupOf(group)
  if (expand && around) complaints.push(` is mapped, and so is the group "${around.id}" around it. Map only one of them.`)
  const document = {
    groupId: group.id,
    parent: group.group?.id ?? null,
    tooltip,
    expand: expand ? expandDocument(expand, complaints) : null,
  }
  for (const complaint of complaints) problems.push(`Group "${group.id}"${group.place}${complaint}`)
  return document
}

function scheduleProblems(schedule: ScheduleDocument, maxActiveRuns: number): string[] {
  const isContinuous = schedule.kind === 'continuous' || (schedule.kind === 'assetsOrTime' && schedule.time.kind === 'continuous')
  return isContinuous && maxActiveRuns !== 1 ? [`The schedule "@continuous" needs maxActiveRuns: 1, but it is ${maxActiveRuns}.`] : []
}

/** Only folders below the file's own. */
function searchPath({ templateSearchPath = [] }: DagOptions, problems: string[]): string[] {
  const given = [templateSearchPath].flat() as string[]
  for (const folder of given) {
    if (typeof folder !== 'string' || folder === '' || /^([/\\]|[A-Za-z]:)/.test(folder) || folder.split(/[/\\]/).includes('..')) {
      problems.push(`The templateSearchPath "${folder}" must be a folder below the one of the DAG's file, such as "sql".`)
    }
  }
  return given
}

/** Without what is said to be undefined. */
const given = (options: DagOptions): DagOptions =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as DagOptions

const timezones = new Map<string, boolean>()

/** Asking takes a third of a millisecond, so each is asked for once. */
function isTimezone(name: string): boolean {
  const known = timezones.get(name)
  if (known !== undefined) return known
  let isOne = true
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
  } catch {
    isOne = false
  }
  timezones.set(name, isOne)
  return isOne
}
