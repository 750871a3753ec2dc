/** Live streams beside Airflow's API: changes of runs and task instances as the same documents that it answers, and logs while they grow. */
import type { DomainEvent } from '../../core/events.ts'
import { many, one, readQuery, text, whole } from '../airflow-query.ts'
import { type Door, permit, streamReader } from '../door.ts'
import { eventStream, type Stream } from '../event-stream.ts'
import type { AirflowDoorOptions } from './airflow-door.ts'
import { presentRun } from './dag-run-response.ts'
import { findDag, findRun } from './request.ts'
import { presentInstances } from './task-instance-response.ts'
import { findTry, logLine } from './task-log.ts'

/** Changes of one run or task that come closer together than this are sent as one. */
const COALESCE_MS = 100
/** So many unfinished runs are sent as they stand when a stream begins. */
const CURRENT_RUNS = 100

export function addLiveRoutes(door: Door, options: AirflowDoorOptions): void {
  const { dags, runs, instances, logs, clock, stopping } = options

  door.get('/api/v1/live/dagRuns', permit('dags.read'), async (c) => {
    const query = readQuery(c.req, { dag_id: many(text), run_id: one(text) })
    for (const dagId of query.dag_id ?? []) await findDag(dags, dagId)
    const [dagId, another] = query.dag_id ?? []
    if (query.run_id !== undefined && dagId !== undefined && another === undefined) await findRun(runs, dagId, query.run_id)
    const watched: Watched = { dagIds: query.dag_id && new Set(query.dag_id), runId: query.run_id }
    return eventStream({ clock, signal: stopping, ...streamReader(c, 'dags.read') }, (stream) => watch(stream, watched, options))
  })

  door.get('/api/v2/dags/:dag/dagRuns/:run/taskInstances/:task/logs/:try/stream', permit('dags.read'), async (c) => {
    const { dag, run, task, try: number } = c.req.param()
    const mapIndex = readQuery(c.req, { map_index: one(whole(-1)) }).map_index ?? -1
    const { tryNumber } = await findTry(options, { dag, run, task, mapIndex, text: number })
    // Lines are counted from 1, so that a reader who has lost the connection goes on after the last one.
    const seen = Number(c.req.header('last-event-id') ?? 0) || 0
    return eventStream({ clock, signal: stopping, ...streamReader(c, 'dags.read') }, (stream) => {
      const follow = async () => {
        let line = 0
        let rest = ''
        for await (const piece of logs.tail({ dagId: dag, runId: run, taskId: task, mapIndex, tryNumber }, stream.ended)) {
          const lines = (rest + piece).split('\n')
          rest = lines.pop() ?? ''
          for (const each of lines) {
            if (++line <= seen) continue
            await stream.room()
            if (stream.ended.aborted) return
            stream.send('log', logLine(each), line)
          }
        }
        const instance = await instances.find(dag, run, task, mapIndex)
        stream.send('end', { try_number: tryNumber, state: instance?.state === 'none' ? null : (instance?.state ?? null) })
      }
      follow()
        .catch(() => {})
        .finally(() => stream.end())
    })
  })
}

interface Watched {
  readonly dagIds: ReadonlySet<string> | undefined
  readonly runId: string | undefined
}

/** First what there is: the unfinished runs, or the run that is asked for with its tasks. Then whatever changes. */
function watch(
  { send, room, ended }: Stream,
  watched: Watched,
  { runs, runList, instances, events, clock, ...options }: AirflowDoorOptions,
): void {
  const changed = new Map<
    string,
    { readonly dagId: string; readonly runId: string; readonly taskId: string | null; readonly mapIndex: number }
  >()

  const sendRun = async (dagId: string, runId: string) => {
    await room()
    const run = await runs.find(dagId, runId)
    if (run) send('dag_run', presentRun(run, clock.now()))
  }
  // What there is comes first, so that nothing older is sent after it.
  let isFlushing = true
  /** What changes while a slow reader takes the rest waits here once, as what it is by then. */
  const flush = async () => {
    isFlushing = true
    while (changed.size > 0 && !ended.aborted) {
      await clock.sleep(COALESCE_MS, ended)
      const now = [...changed.values()]
      changed.clear()
      for (const { dagId, runId, taskId, mapIndex } of now) {
        if (ended.aborted) return
        if (taskId === null) {
          await sendRun(dagId, runId)
          continue
        }
        await room()
        const instance = await instances.find(dagId, runId, taskId, mapIndex)
        if (instance) for (const shown of await presentInstances([instance], { ...options, runs, clock })) send('task_instance', shown)
      }
    }
    isFlushing = false
  }
  const hear = (event: DomainEvent) => {
    if (event.type !== 'dag_run.changed' && event.type !== 'task_instance.changed') return
    const { dagId, runId } = event.facts
    if (watched.dagIds && !watched.dagIds.has(dagId)) return
    if (watched.runId !== undefined && watched.runId !== runId) return
    const taskId = event.type === 'task_instance.changed' ? event.facts.taskId : null
    const mapIndex = event.type === 'task_instance.changed' ? event.facts.mapIndex : -1
    changed.set(`${dagId}/${runId}/${taskId}/${mapIndex}`, { dagId, runId, taskId, mapIndex })
    if (!isFlushing) flush().catch(() => (isFlushing = false))
  }

  const begin = async () => {
    const isOneRun = watched.runId !== undefined
    const current = await runList.list({
      limit: CURRENT_RUNS,
      offset: 0,
      dagIds: watched.dagIds && [...watched.dagIds],
      runIds: watched.runId === undefined ? undefined : [watched.runId],
      states: isOneRun ? undefined : ['queued', 'running'],
      sort: [{ by: 'runAfter', descending: true }],
    })
    for (const run of current.runs.toReversed()) {
      send('dag_run', presentRun(run, clock.now()))
      if (!isOneRun) continue
      const own = await instances.listOfRun(run.dagId, run.runId)
      for (const shown of await presentInstances(own, { ...options, runs, clock })) {
        await room()
        send('task_instance', shown)
      }
    }
  }
  ended.addEventListener('abort', events.subscribe(hear))
  void begin()
    .catch(() => {})
    .then(flush)
    .catch(() => (isFlushing = false))
}
