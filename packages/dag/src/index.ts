export { type Asset, type AssetAlias, all, any, asset, assetAlias, type Condition } from './asset.ts'
export type { Choice, DagBuilder } from './builder.ts'
export { type Dag, dag, isDag } from './dag.ts'
export type { DagOptions } from './dag-options.ts'
export type { Deadline } from './deadline.ts'
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
  ListSource,
  SensorDocument,
  TaskDocument,
  ValueSource,
} from './document.ts'
export { type Duration, durationSeconds } from './duration.ts'
export {
  type Concat,
  concat,
  type Element,
  type Expansion,
  listSource,
  type MappedOutput,
  mapOver,
  partsOf,
  records,
  zip,
} from './expand.ts'
export type { Group, GroupOptions } from './group.ts'
export { fromWallClock, toWallClock } from './instant.ts'
export type { MappedOperator, Operator, Trigger } from './operator.ts'
export { type BashArgs, bash } from './operators/bash.ts'
export { type ExternalTaskOptions, externalTask } from './operators/external-task.ts'
export { approval, humanBranch, humanInput } from './operators/human.ts'
export { timeDeltaSensor, timeSensor, waitUntil } from './operators/time.ts'
export { type TriggerDagOptions, triggerDag } from './operators/trigger-dag.ts'
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
export { type Param, type Params, param } from './param.ts'
export { partial } from './partial.ts'
export { type RetryRule, retryDecision } from './retry-policy.ts'
export {
  assetsOrTime,
  cronTrigger,
  delta,
  deltaTrigger,
  events,
  type Schedule,
  type ScheduleDocument,
  type TimeDocument,
} from './schedule.ts'
export { type Look, type SensorOptions, sensorDocument, sensorOperator } from './sensor.ts'
export { chain } from './step.ts'
export { Task, type TaskFunction } from './task.ts'
export type {
  AssetEventFacts,
  Callback,
  CallbackContext,
  Callbacks,
  Connection,
  DagParts,
  DagRunFacts,
  DagRunQuery,
  DagRuns,
  OutletEvent,
  TaskContext,
} from './task-context.ts'
export type { FunctionContext, Inputs, TaskDefaults, TaskOptions } from './task-options.ts'
export { TRIGGER_RULES, type TriggerRule } from './trigger-rule.ts'
