/** A run that somebody asks for: what may be asked, and the run that comes of it. Pure. */
import { randomBytes } from 'node:crypto'
import { AppError } from '../core/app-error.ts'
import { isNestedTooDeeply, MOST_NESTED } from '../core/json.ts'
import type { Pattern } from '../core/pattern.ts'
import type { DagRecord } from './dag.ts'
import { type DagRun, isoOffset, type TriggeredBy } from './dag-run.ts'
import type { DataInterval, Timetable } from './timetable.ts'

export interface RunRequest {
  /** Default: made of the logical date, or of now and some letters. */
  readonly runId?: string | null
  /** Null or left out: the run stands for its data interval. */
  readonly logicalDate?: Date | null
  /** Both or neither. Default: the last complete interval before the logical date, or before now. */
  readonly dataIntervalStart?: Date | null
  readonly dataIntervalEnd?: Date | null
  /** The run waits until then. Default: now. */
  readonly runAfter?: Date | null
  readonly conf?: Readonly<Record<string, unknown>> | null
  readonly note?: string | null
  /** Default `manual`; the other one to make an asset. */
  readonly runType?: 'manual' | 'asset_materialization'
  /** Default `rest_api`. */
  readonly triggeredBy?: TriggeredBy
}

/** A run of such an id would stand where the schedule or a backfill puts its own, which would then never be made. */
const RESERVED = /^(scheduled|backfill|asset_triggered)__/
const RUN_ID = /^(?!\.{1,2}$)[A-Za-z0-9_.~:+-]{1,250}$/

/** Throws `invalid` with everything that is wrong with the request, `conflict` when the DAG cannot run at all. */
export function manualRun(
  dag: DagRecord,
  timetable: Timetable,
  request: RunRequest,
  now: Date,
  createdBy: string,
  allowed: Pattern = RUN_ID,
): DagRun {
  const { logicalDate = null, dataIntervalStart: start, dataIntervalEnd: end, runType = 'manual' } = request
  const problems: string[] = []
  if (request.runId && !RUN_ID.test(request.runId)) {
    problems.push(`dag_run_id "${request.runId}" may only have letters, digits and _ . ~ : + -, at most 250 of them.`)
  } else if (request.runId && !allowed.test(request.runId)) {
    problems.push(`dag_run_id "${request.runId}" does not match ${allowed.source}, which the settings want (allowed_run_id_pattern).`)
  }
  if (RESERVED.test(request.runId ?? ''))
    problems.push(`dag_run_id "${request.runId}" is reserved: a run that the schedule, a backfill or an asset makes begins like that.`)
  if (request.conf && isNestedTooDeeply(JSON.stringify(request.conf))) problems.push(`conf is nested more than ${MOST_NESTED} deep.`)
  if ((start == null) !== (end == null)) problems.push('data_interval_start and data_interval_end go together: send both or neither.')
  if (start && end && start > end) problems.push('data_interval_start is after data_interval_end.')
  if (problems.length > 0) throw new AppError('invalid', `DAG "${dag.dagId}" cannot be triggered like this.`, { problems })
  if (dag.isStale) throw new AppError('conflict', `DAG "${dag.dagId}" cannot be triggered: its file no longer has it. Put it back first.`)
  if (dag.hasImportErrors) {
    throw new AppError('conflict', `DAG "${dag.dagId}" cannot be triggered: its file ${dag.file} has an import error. Mend it first.`)
  }
  const interval: DataInterval = start && end ? { start, end } : timetable.inferManual(logicalDate ?? request.runAfter ?? now)
  const runAfter = request.runAfter ?? now
  const unique = logicalDate ? '' : `_${randomBytes(4).toString('hex')}`
  return {
    dagId: dag.dagId,
    runId: request.runId || `${runType}__${isoOffset(logicalDate ?? runAfter)}${unique}`,
    runType,
    state: 'queued',
    logicalDate: logicalDate?.toISOString() ?? null,
    dataIntervalStart: interval.start.toISOString(),
    dataIntervalEnd: interval.end.toISOString(),
    runAfter: runAfter.toISOString(),
    queuedAt: now.toISOString(),
    startedAt: null,
    endedAt: null,
    conf: request.conf ?? {},
    note: request.note ?? null,
    createdBy,
    triggeredBy: request.triggeredBy ?? 'rest_api',
    clearNumber: 0,
    backfill: null,
    deadlines: [],
    decidedAt: null,
    revision: 0,
  }
}
