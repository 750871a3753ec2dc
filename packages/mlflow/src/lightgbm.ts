/** A boosted-trees model as MLflow's directory: LightGBM's own text file with the descriptions by which Python loads it. */
import { randomUUID } from 'node:crypto'

type ColumnType = 'boolean' | 'integer' | 'long' | 'float' | 'double' | 'string' | 'datetime'

export interface ColumnSpec {
  readonly name?: string
  readonly type: ColumnType
  readonly required?: boolean
}

export interface TensorSpec {
  readonly type: 'tensor'
  readonly 'tensor-spec': { readonly dtype: string; readonly shape: readonly number[] }
}

/** What goes in and what comes out, as MLflow's signatures say it. */
export interface ModelSignature {
  readonly inputs: readonly (ColumnSpec | TensorSpec)[]
  readonly outputs: readonly (ColumnSpec | TensorSpec)[]
}

export interface LightgbmModel {
  /** The model in LightGBM's text format. */
  readonly text: string
  readonly signature: ModelSignature
  /** Rows that one may send to it. */
  readonly inputExample?: readonly Readonly<Record<string, unknown>>[]
  readonly runId?: string
  /** The folder it will be logged to. */
  readonly path?: string
  readonly createdAt?: Date
}

/** The versions that Python's side is written for. It warns, and loads all the same, when it has others. */
const MLFLOW_VERSION = '3.17.2'
const LIGHTGBM_VERSION = '4.6.0'
const PYTHON_VERSION = '3.11.7'

/** The files of the model's directory, by name. `mlflow.lightgbm.load_model` and `mlflow.pyfunc.load_model` load it. */
export function lightgbmModel(model: LightgbmModel): Map<string, string | Uint8Array> {
  const { text, signature, inputExample, runId, path = 'model', createdAt = new Date() } = model
  const requirements = [`mlflow>=${MLFLOW_VERSION.split('.')[0]}`, `lightgbm>=${LIGHTGBM_VERSION.split('.')[0]}`]
  const example = inputExample && inputExample.length > 0 ? dataframe(inputExample) : null
  const files = new Map<string, string | Uint8Array>()
  files.set(
    'MLmodel',
    yaml({
      artifact_path: path,
      flavors: {
        lightgbm: { code: null, data: 'model.lgb', lgb_version: LIGHTGBM_VERSION, model_class: 'lightgbm.basic.Booster' },
        python_function: {
          data: 'model.lgb',
          env: { conda: 'conda.yaml', virtualenv: 'python_env.yaml' },
          loader_module: 'mlflow.lightgbm',
          python_version: PYTHON_VERSION,
        },
      },
      mlflow_version: MLFLOW_VERSION,
      model_size_bytes: Buffer.byteLength(text),
      model_uuid: randomUUID().replaceAll('-', ''),
      ...(runId ? { run_id: runId } : {}),
      ...(example
        ? {
            saved_input_example_info: {
              artifact_path: 'input_example.json',
              pandas_orient: 'split',
              serving_input_path: 'serving_input_example.json',
              type: 'dataframe',
            },
          }
        : {}),
      signature: { inputs: JSON.stringify(signature.inputs), outputs: JSON.stringify(signature.outputs), params: null },
      utc_time_created: createdAt.toISOString().replace('T', ' ').replace('Z', '000'),
    }),
  )
  files.set('model.lgb', text)
  files.set('requirements.txt', `${requirements.join('\n')}\n`)
  files.set('python_env.yaml', `python: "${PYTHON_VERSION}"\nbuild_dependencies:\n- pip\ndependencies:\n- -r requirements.txt\n`)
  const packages = requirements.map((requirement) => `  - ${requirement}\n`).join('')
  files.set(
    'conda.yaml',
    `channels:\n- conda-forge\ndependencies:\n- python=${PYTHON_VERSION}\n- pip\n- pip:\n${packages}name: mlflow-env\n`,
  )
  if (example) {
    files.set('input_example.json', JSON.stringify(example))
    files.set('serving_input_example.json', JSON.stringify({ dataframe_split: example }))
  }
  return files
}

/** Rows as pandas' "split" orientation. */
function dataframe(rows: readonly Readonly<Record<string, unknown>>[]) {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))]
  return { columns, data: rows.map((row) => columns.map((column) => row[column] ?? null)) }
}

/** Nested maps of texts, numbers and nulls as YAML; a text in JSON's quotes is one in YAML's too. */
function yaml(map: Readonly<Record<string, unknown>>, indent = ''): string {
  return Object.entries(map)
    .map(([key, value]) =>
      typeof value === 'object' && value !== null
        ? `${indent}${key}:\n${yaml(value as Record<string, unknown>, `${indent}  `)}`
        : `${indent}${key}: ${JSON.stringify(value)}\n`,
    )
    .join('')
}
