/** Answers what tasks ask about runs, out of the scheduler and its stores. */
import type { DagDocument, DagParts } from '@daggerboard/dag'
import { AppError } from '../core/app-error.ts'
import type { PlatformQuestion, PreviousSuccess, TaskPlatform } from '../execution/task-question.ts'
import type { AssetEvent, AssetStore } from '../scheduling/asset.ts'
import type { DagStore } from '../scheduling/dag.ts'
import { type DagRun, type DagRunStore, runKey } from '../scheduling/dag-run.ts'
import type { DagRunList } from '../scheduling/dag-run-list.ts'
import type { Scheduler } from '../scheduling/scheduler.ts'
import type { TaskInstanceStore } from '../scheduling/task-instance.ts'

export interface TaskPlatformParts {
  /** Asked late: the scheduler is made after the workers. */
  readonly scheduler: () => Pick<Scheduler, 'trigger' | 'clearRun'>
  readonly dags: Pick<DagStore, 'find'>
  readonly runs: Pick<DagRunStore, 'find' | 'findByLogicalDate'>
  readonly runList: Pick<DagRunList, 'list'>
  readonly instances: Pick<TaskInstanceStore, 'listOfRun'>
  readonly assets: Pick<AssetStore, 'eventsOfRun' | 'findByName' | 'events'>
}

/** A task reads the last ones. */
const MOST_EVENTS = 100

type Question<What> = Extract<PlatformQuestion, { what: What }>

export class StoredTaskPlatform implements TaskPlatform {
  readonly #parts: TaskPlatformParts

  constructor(parts: TaskPlatformParts) {
    this.#parts = parts
  }

  answer(question: PlatformQuestion, subject: string): Promise<unknown> {
    switch (question.what) {
      case 'triggerRun':
        return this.#trigger(question, subject)
      case 'findRun':
        return this.#find(question).then((run) => run && factsOf(run))
      case 'taskStates':
        return this.#taskStates(question)
      case 'dagParts':
        return this.#parts.dags.find(question.dagId).then((found) => (found && !found.isStale ? partsOf(found.document) : null))
      case 'previousSuccess':
        return this.#previousSuccess(question)
      case 'triggeringAssetEvents':
        return this.#parts.assets.eventsOfRun(question.dagId, question.runId).then((events) => this.#withRuns(events))
      case 'inletEvents':
        return this.#inletEvents(question)
      case 'neighbours':
        return Promise.reject(new AppError('internal', 'Only a task has logical dates before and after its own.'))
    }
  }

  async #trigger({ dagId, runId, logicalDate, conf, note, reset }: Question<'triggerRun'>, subject: string): Promise<unknown> {
    const { runs } = this.#parts
    const scheduler = this.#parts.scheduler()
    const byId = runId === null ? null : await runs.find(dagId, runId)
    const there = byId ?? (logicalDate === null ? null : await runs.findByLogicalDate(dagId, new Date(logicalDate).toISOString()))
    if (there && reset) {
      await scheduler.clearRun(dagId, there.runId, { onlyFailed: false, dryRun: false }, subject)
      return factsOf((await runs.find(dagId, there.runId)) ?? there)
    }
    const date = logicalDate === null ? null : new Date(logicalDate)
    return factsOf(await scheduler.trigger(dagId, { runId, logicalDate: date, conf, note, triggeredBy: 'operator' }, subject))
  }

  #find(query: Question<'findRun' | 'taskStates'>): Promise<DagRun | null> {
    const { runs } = this.#parts
    return 'runId' in query
      ? runs.find(query.dagId, query.runId)
      : runs.findByLogicalDate(query.dagId, new Date(query.logicalDate).toISOString())
  }

  async #taskStates(query: Question<'taskStates'>): Promise<unknown> {
    const run = await this.#find(query)
    if (!run) return []
    const { taskIds, groupId } = query
    const ofGroup = groupId === undefined ? null : await this.#tasksOfGroup(query.dagId, groupId)
    return (await this.#parts.instances.listOfRun(run.dagId, run.runId))
      .filter(({ taskId }) => (!taskIds || taskIds.includes(taskId)) && (!ofGroup || ofGroup.has(taskId)))
      .map(({ taskId, mapIndex, state }) => ({ taskId, mapIndex, state }))
  }

  /** Also those of the groups in it. */
  async #tasksOfGroup(dagId: string, groupId: string): Promise<ReadonlySet<string>> {
    const document = (await this.#parts.dags.find(dagId))?.document
    const groups = new Set([groupId])
    for (const group of document?.groups ?? []) if (group.parent !== null && groups.has(group.parent)) groups.add(group.groupId)
    return new Set(document?.tasks.filter((task) => task.groupId !== null && groups.has(task.groupId)).map(({ taskId }) => taskId))
  }

  async #inletEvents({ assets }: Question<'inletEvents'>): Promise<unknown> {
    const ofAsset = async (name: string) => {
      const asset = await this.#parts.assets.findByName(name)
      if (!asset) return []
      const { events } = await this.#parts.assets.events({ assetId: asset.id, limit: MOST_EVENTS, offset: 0, descending: true })
      return this.#withRuns(events.reverse())
    }
    return Object.fromEntries(await Promise.all(assets.map(async (name) => [name, await ofAsset(name)] as const)))
  }

  /** Each event with the run that its source was part of. */
  async #withRuns(events: readonly AssetEvent[]): Promise<readonly object[]> {
    const runs = new Map<string, Promise<DagRun | null>>()
    for (const { source } of events)
      if (source && !runs.has(runKey(source))) runs.set(runKey(source), this.#parts.runs.find(source.dagId, source.runId))
    return Promise.all(
      events.map(async (event) => ({ ...event, sourceRun: event.source && ((await runs.get(runKey(event.source))) ?? null) })),
    )
  }

  async #previousSuccess({ dagId, before }: Question<'previousSuccess'>): Promise<PreviousSuccess | null> {
    const { runs } = await this.#parts.runList.list({
      dagIds: [dagId],
      states: ['success'],
      logicalDate: { lt: before },
      sort: [{ by: 'logicalDate', descending: true }],
      limit: 1,
      offset: 0,
    })
    return runs[0] ?? null
  }
}

const partsOf = ({ tasks, groups }: DagDocument): DagParts => ({
  taskIds: tasks.map(({ taskId }) => taskId),
  groupIds: groups.map(({ groupId }) => groupId),
})

const factsOf = ({ dagId, runId, state, logicalDate }: DagRun) => ({ dagId, runId, state, logicalDate })
