/** What the scheduler sees of a task. */
import { assetProblems, referenceDocument } from './asset.ts'
import { defaults } from './defaults.ts'
import { didYouMean } from './definition-error.ts'
import type { AssetReference, ExpandDocument, InputSource, ListSource, TaskDocument, ValueSource } from './document.ts'
import { type Duration, durationSeconds, notADuration } from './duration.ts'
import { type Expansion, elementSource, listParts, listSource, partsOf, sourceTasks } from './expand.ts'
import { mappedGroupOf } from './group.ts'
import type { Operator } from './operator.ts'
import { SENSOR_OPTIONS, TASK_OPTIONS, unknownOptions } from './option-names.ts'
import { plain, wholeNumber } from './plain.ts'
import { isStep } from './step.ts'
import type { Task } from './task.ts'
import { TASK_CALLBACKS, WEIGHT_RULES } from './task-options.ts'
import { TRIGGER_RULES } from './trigger-rule.ts'

const DEFAULT_POOL = 'default_pool'

/** `tasks` are all of the DAG, by id. What is wrong goes to `problems`. */
export function taskDocument(task: Task, tasks: ReadonlyMap<string, Task>, problems: string[]): TaskDocument {
  // Where a task stands is dear to tell: each complaint goes on after its name, which is only written when there is one.
  const complaints: string[] = []
  const document = readTask(task, tasks, complaints)
  for (const complaint of complaints) problems.push(`Task "${task.id}"${task.place}${complaint}`)
  return document
}

function readTask(task: Task, tasks: ReadonlyMap<string, Task>, problems: string[]): TaskDocument {
  const { options } = task
  const work = (typeof task.work === 'function' ? null : task.work) as Partial<Operator> | null
  const seconds = (name: 'retryDelay' | 'maxRetryDelay' | 'executionTimeout'): number | null => {
    const value: Duration | undefined = options[name]
    if (value === undefined) return null
    const found = durationSeconds(value)
    if (found === null) problems.push(`: ${name} ${notADuration(value)}`)
    return found
  }
  const whole = (name: 'poolSlots' | 'maxActivePerDag' | 'maxActivePerRun' | 'retries' | 'priorityWeight', least: number): number | null =>
    options[name] === undefined ? null : wholeNumber(options[name], least, `: ${name}`, problems)
  const references = (name: 'inlets' | 'outlets'): AssetReference[] =>
    (options[name] ?? []).flatMap((given) => {
      const found = referenceDocument(given)
      if (!found) problems.push(`: one of its ${name} is not an asset. Write asset("name") or assetAlias("name").`)
      else problems.push(...assetProblems(found).map((problem) => `: ${problem}`))
      return found ?? []
    })
  problems.push(...unknownOptions(options, work?.sensor ? SENSOR_OPTIONS : TASK_OPTIONS).map((problem) => `: ${problem}`))
  problems.push(...workProblems(task), ...policyProblems(task), ...ruleProblems(task, tasks))
  const { triggerRule = 'all_success', weightRule = 'downstream', pool = DEFAULT_POOL, waitForDownstream = false } = options
  if (!WEIGHT_RULES.includes(weightRule)) {
    problems.push(`: the weight rule "${weightRule}" is unknown. They are ${WEIGHT_RULES.join(', ')}.`)
  }
  if (typeof pool !== 'string' || pool.trim() === '' || pool.length > 256) {
    problems.push(`: the pool ${JSON.stringify(pool)} must be the name of a pool, 1 to 256 characters.`)
  }
  const setups = [...task.upstream].filter((id) => tasks.get(id)?.role === 'setup')
  if (task.role === 'teardown' && setups.length === 0) {
    problems.push(` is a teardown, but no setup comes right before it. Name one: asTeardown({ setups: … }).`)
  }
  return {
    taskId: task.id,
    groupId: task.group?.id ?? null,
    operator: work ? String(work.name) : 'function',
    owner: options.owner ?? 'airflow',
    docMd: options.docMd ?? null,
    args: work ? plain(work.args ?? {}, `: its args`, problems) : {},
    upstream: [...task.upstream],
    downstream: [...task.downstream],
    input: inputDocument(task, problems),
    triggerRule: task.role === 'teardown' ? 'all_done' : triggerRule,
    retries: whole('retries', 0) ?? defaults().retries,
    retryDelaySeconds: seconds('retryDelay') ?? defaults().retryDelaySeconds,
    retryBackoff: backoffOf(task, problems),
    maxRetryDelaySeconds: seconds('maxRetryDelay') ?? defaults().maxRetryDelaySeconds,
    executionTimeoutSeconds: seconds('executionTimeout') ?? defaults().executionTimeoutSeconds,
    dependsOnPast: (options.dependsOnPast ?? false) || waitForDownstream,
    waitForDownstream,
    ignoreFirstDependsOnPast: options.ignoreFirstDependsOnPast ?? defaults().ignoreFirstDependsOnPast,
    waitForPastDependsBeforeSkipping: options.waitForPastDependsBeforeSkipping ?? false,
    pool,
    poolSlots: whole('poolSlots', 1) ?? 1,
    priorityWeight: whole('priorityWeight', Number.MIN_SAFE_INTEGER) ?? 1,
    weightRule,
    maxActivePerDag: whole('maxActivePerDag', 1),
    maxActivePerRun: whole('maxActivePerRun', 1),
    role: task.role,
    setups: task.role === 'teardown' ? setups : [],
    failsRun: task.failsRun,
    expand: options.expand ? expandDocument(options.expand, problems) : null,
    mapIndexTemplate: options.mapIndexTemplate ?? null,
    flow: work?.flow ?? 'none',
    sensor: work?.sensor ?? null,
    callbacks: Object.fromEntries(TASK_CALLBACKS.map((name) => [name, task.callbacks[name].length > 0])) as TaskDocument['callbacks'],
    inlets: references('inlets'),
    outlets: references('outlets'),
  }
}

/** What a mapped task or group is made once for each of. Complaints go on after its name. */
export function expandDocument(expansion: Expansion, problems: string[]): ExpandDocument {
  const { kind, inputs, fill } = partsOf(expansion)
  const sources = Object.entries(inputs).map(([name, given]): [string, ListSource] => {
    const { isConcat, parts } = listParts(listSource(given).source)
    const [only = { value: [] }, ...others] = parts.map((source) => listDocument(name, source, problems))
    return [name, isConcat ? { concat: [only, ...others] } : only]
  })
  const [first] = sources
  if (!first) problems.push(`: its expand has nothing to map over. Name a list or a task in it.`)
  if (kind === 'records') return { kind, from: first?.[1] ?? { value: [] } }
  if (kind === 'product') return { kind, inputs: Object.fromEntries(sources) }
  return { kind, inputs: Object.fromEntries(sources), fill: fill && { value: plain(fill.value, `: its fill`, problems) } }
}

function listDocument(name: string, source: unknown, problems: string[]): ValueSource {
  if (isStep(source)) return { task: source.id }
  const value = plain(source, `: "${name}" of its expand`, problems)
  if (typeof value !== 'object' || value === null) {
    const word = JSON.stringify(value)
    problems.push(`: "${name}" of its expand is ${word}. Give it a list, a dictionary, or a task that answers one.`)
  }
  return { value }
}

function inputDocument(task: Task, problems: string[]): Record<string, InputSource> {
  const around = mappedGroupOf(task)
  const sources = Object.entries(task.options.input ?? {}).map(([name, value]): [string, InputSource] => {
    const element = elementSource(value)
    if (element && element.group !== around?.id) {
      problems.push(`: its input "${name}" is of the mapped group "${element.group}", in which it is not. Move it there.`)
    }
    if (element) return [name, { group: element.group, element: element.name }]
    return [name, isStep(value) ? { task: value.id } : { value: plain(value, `: its input "${name}"`, problems) }]
  })
  return Object.fromEntries(sources)
}

function backoffOf(task: Task, problems: string[]): number {
  const { retryExponentialBackoff: backoff = false } = task.options
  if (typeof backoff === 'boolean') return backoff ? 2 : 0
  if (!(Number.isFinite(backoff) && backoff >= 0))
    problems.push(`: retryExponentialBackoff is ${backoff}; it must be true or a number, 0 or more.`)
  return backoff
}

function workProblems(task: Task): string[] {
  const work = task.work as Partial<Record<'run' | 'make', unknown>> | undefined
  if (typeof work === 'function' || typeof work?.run === 'function') return []
  if (typeof work?.make !== 'function') return [` has neither a function nor an operator to run. Give it one as its second argument.`]
  return task.options.expand ? [] : [` has a partial operator, but nothing to map over. Give it an expand, or a whole operator.`]
}

function policyProblems(task: Task): string[] {
  return (task.options.retryPolicy ?? []).flatMap(({ on, action, delay }) => [
    ...(['string', 'function'].includes(typeof on)
      ? []
      : [`: a rule of its retryPolicy has no error that it is on. Name a class of errors.`]),
    ...(['retry', 'fail', 'default'].includes(action)
      ? []
      : [`: the action "${action}" of its retryPolicy is none of retry, fail, default.`]),
    ...(delay === undefined || typeof delay === 'function' || durationSeconds(delay) !== null
      ? []
      : [`: the delay of its retryPolicy ${notADuration(delay)}`]),
  ])
}

/** Trigger rules that cannot be, by themselves or beside setups and what is mapped. */
function ruleProblems(task: Task, tasks: ReadonlyMap<string, Task>): string[] {
  const { triggerRule = 'all_success', expand } = task.options
  if (!TRIGGER_RULES.includes(triggerRule)) {
    const hint = didYouMean(triggerRule, TRIGGER_RULES) || ` They are ${TRIGGER_RULES.join(', ')}.`
    return [`: the trigger rule "${triggerRule}" is unknown.${hint}`]
  }
  const problems: string[] = []
  const group = mappedGroupOf(task)
  const isMappedByTask = (by: Expansion | undefined) => by && sourceTasks(by).length > 0
  if (triggerRule === 'always' && (isMappedByTask(expand) || isMappedByTask(group?.options.expand))) {
    problems.push(`: a task that is mapped by the output of another one cannot have the trigger rule "always". Choose another rule.`)
  }
  if (expand && group) problems.push(` is mapped, and so is its group "${group.id}". Map only one of them.`)
  if (task.role === 'teardown') {
    if (triggerRule !== 'all_success') problems.push(` is a teardown, whose trigger rule is its own. Leave triggerRule out.`)
  } else if (triggerRule !== 'all_success') {
    const setup = [...task.upstream].find((id) => tasks.get(id)?.role === 'setup')
    if (setup) problems.push(` comes right after the setup "${setup}", so its trigger rule must be "all_success", not "${triggerRule}".`)
  }
  return problems
}
