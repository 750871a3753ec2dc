export { type Asset, type AssetAlias, all, any, asset, assetAlias, type Condition } from './asset.ts'
export { type Dag, type DagBuilder, type DagOptions, dag, isDag } from './dag.ts'
export { DagDefinitionError } from './definition-error.ts'
export type {
  AssetCondition,
  AssetDocument,
  AssetReference,
  DagDocument,
  DeadlineDocument,
  ExpandDocument,
  GroupDocument,
  InputSource,
  SensorDocument,
  TaskDocument,
  ValueSource,
} from './document.ts'
export { type Duration, durationSeconds } from './duration.ts'
export { fromWallClock, toWallClock } from './instant.ts'
export type { MappedOperator, Operator, Trigger } from './operator.ts'
export {
  branchTo,
  type Decision,
  Defer,
  type DeferredEvent,
  FailTask,
  goOn,
  type InputAnswer,
  type InputQuestion,
  isDecision,
  Reschedule,
  type SkipDecision,
  SkipTask,
  skipAfter,
} from './outcome.ts'
export type { Schedule, ScheduleDocument, TimeDocument } from './schedule.ts'
export { chain, type FunctionContext, Task, type TaskDefaults, type TaskFunction, type TaskOptions } from './task.ts'
export type {
  AssetEventFacts,
  Callback,
  CallbackContext,
  Callbacks,
  Connection,
  DagRunFacts,
  DagRunQuery,
  DagRuns,
  OutletEvent,
  TaskContext,
} from './task-context.ts'
export { TRIGGER_RULES, type TriggerRule } from './trigger-rule.ts'
