/** Client of MLflow tracking and model registry. */
export { MlflowClient, type MlflowClientOptions, type NewRun, type NewVersion, type Transition } from './client.ts'
export { isMissing, MlflowError } from './error.ts'
export { type ColumnSpec, type LightgbmModel, lightgbmModel, type ModelSignature, type TensorSpec } from './lightgbm.ts'
export type { DownloadedModel } from './model-download.ts'
export { type EndStatus, type ParamValue, Run, type RunInfo } from './run.ts'
export type { Version } from './version.ts'
