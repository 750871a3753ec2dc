export { type Connection, FailTask, type Operator, SkipTask, type TaskContext } from './operator.ts'
