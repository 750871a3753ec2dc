/** Deployment: version, gate, stage. */
import { node, pipeline } from '@daggerboard/pipeline'
import { checkGate, pushModelToRegistry, stageModel } from '../nodes/deployment.ts'

export const deployment = pipeline([
  node(pushModelToRegistry, { name: 'push_model_to_registry', inputs: ['params:mlflow', 'mlflow_run_id'], outputs: 'registered_version' }),
  node(checkGate, {
    name: 'check_gate',
    inputs: {
      registered: 'registered_version',
      metrics: 'metrics',
      testRows: 'test_rows',
      gate: 'params:gate',
      mlflow: 'params:mlflow',
      environment: 'params:environment',
    },
    outputs: 'passed_version',
  }),
  node(stageModel, {
    name: 'stage_model',
    inputs: ['passed_version', 'params:mlflow', 'params:environment'],
    outputs: 'mlflow_model_version',
  }),
])
