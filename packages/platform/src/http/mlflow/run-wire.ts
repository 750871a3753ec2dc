/** Runs and metrics as MLflow's JSON has them. */
import type { Run, RunInfo } from '../../models/run.ts'
import type { DatasetInput, Metric } from '../../models/run-data.ts'

export const runToWire = (run: Run) => ({
  info: infoToWire(run),
  data: { metrics: run.data.metrics.map(metricToWire), params: run.data.params, tags: run.data.tags },
  inputs: {
    dataset_inputs: run.data.datasets.map(datasetToWire),
    model_inputs: run.data.modelInputs.map(({ modelId }) => ({ model_id: modelId })),
  },
  outputs: { model_outputs: run.data.modelOutputs.map(({ modelId, step }) => ({ model_id: modelId, step: step ?? 0 })) },
})

export const infoToWire = ({ id, name, experimentId, userId, status, startTime, endTime, artifactUri, lifecycleStage }: RunInfo) => ({
  run_id: id,
  run_uuid: id,
  run_name: name,
  experiment_id: experimentId,
  user_id: userId,
  status,
  start_time: startTime,
  ...(endTime === null ? {} : { end_time: endTime }),
  artifact_uri: artifactUri,
  lifecycle_stage: lifecycleStage,
})

/** Numbers that JSON has no sign for travel as words. */
export const metricToWire = ({ key, value, timestamp, step }: Metric) => ({
  key,
  value: Number.isFinite(value) ? value : String(value),
  timestamp,
  step,
})

const datasetToWire = ({ name, digest, sourceType, source, schema, profile, tags }: DatasetInput) => ({
  tags,
  dataset: {
    name,
    digest,
    source_type: sourceType,
    source,
    ...(schema === null ? {} : { schema }),
    ...(profile === null ? {} : { profile }),
  },
})
