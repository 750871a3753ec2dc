/** Training: search, fit, test, and a run in MLflow that holds all of it. */
import { node, pipeline } from '@daggerboard/pipeline'
import { trainModel } from '../nodes/training.ts'

export const training = pipeline([
  node(trainModel, {
    name: 'auto_ml',
    inputs: {
      trainingSet: 'training_set',
      testSet: 'test_set',
      testRows: 'test_rows',
      transformPipeline: 'transform_pipeline',
      source: 'primary_source',
      maxEvals: 'params:automl_max_evals',
      training: 'params:training',
      mlflow: 'params:mlflow',
      environment: 'params:environment',
    },
    outputs: { runId: 'mlflow_run_id', hyperparameters: 'hyperparameters', model: 'model', metrics: 'metrics', prCurve: 'pr_curve' },
  }),
])
