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
  SensorDocument,
  TaskDocument,
  ValueSource,
} from './document.ts'
export { type Duration, durationSeconds } from './duration.ts'
export { fromWallClock, toWallClock } from './instant.ts'
export { type Connection, FailTask, type Operator, SkipTask, type TaskContext } from './operator.ts'
export type { Schedule, ScheduleDocument, TimeDocument } from './schedule.ts'
export { chain, type FunctionContext, Task, type TaskDefaults, type TaskFunction, type TaskOptions } from './task.ts'
export { TRIGGER_RULES, type TriggerRule } from './trigger-rule.ts'
