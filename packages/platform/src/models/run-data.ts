/** What a run logs: metrics, params, tags, and the datasets and models that went in and came out. */
import {
  excerpt,
  keyProblems,
  lengthProblems,
  MAX_DATASET_FIELD,
  MAX_DATASETS_PER_BATCH,
  MAX_ENTITIES_PER_BATCH,
  MAX_METRICS_PER_BATCH,
  MAX_PARAM_VALUE,
  MAX_PARAMS_PER_BATCH,
  MAX_RUN_TAG_VALUE,
  MAX_TAGS_PER_BATCH,
  type Tag,
  tagProblems,
} from './limits.ts'
import type { Page } from './page.ts'

/** `value` may be NaN or infinite. `timestamp` is in milliseconds since 1970. */
export interface Metric {
  readonly key: string
  readonly value: number
  readonly timestamp: number
  readonly step: number
  /** The logged model that it measures, if it measures one. */
  readonly modelId?: string | undefined
  readonly datasetName?: string | undefined
  readonly datasetDigest?: string | undefined
}

export interface Param {
  readonly key: string
  readonly value: string
}

export interface Batch {
  readonly metrics: readonly Metric[]
  readonly params: readonly Param[]
  readonly tags: readonly Tag[]
}

export interface DatasetInput {
  readonly name: string
  readonly digest: string
  readonly sourceType: string
  readonly source: string
  readonly schema: string | null
  readonly profile: string | null
  readonly tags: readonly Tag[]
}

/** A logged model that a run read (`step` null) or made. */
export interface ModelLink {
  readonly modelId: string
  readonly step: number | null
}

/** What a run has logged so far; of each metric the latest value. */
export interface RunData {
  readonly metrics: readonly Metric[]
  readonly params: readonly Param[]
  readonly tags: readonly Tag[]
  readonly datasets: readonly DatasetInput[]
  readonly modelInputs: readonly ModelLink[]
  readonly modelOutputs: readonly ModelLink[]
}

export interface RunDataStore {
  /**
   * Writes all of `batch` or nothing, and answers what was new in it: a batch that is sent twice changes nothing the second time.
   * Throws `invalid` when a param has another value already. A `mlflow.runName` tag renames the run.
   */
  log(runId: string, batch: Batch): Promise<Batch>
  deleteTag(runId: string, key: string): Promise<boolean>
  /** Adds a model's description to the tag that lists the models a run logged. */
  appendModel(runId: string, model: object): Promise<void>
  /** Every logged value of `key`, in the order of time and step. */
  history(runId: string, key: string, limit: number, offset: number): Promise<Page<Metric>>
  addInputs(runId: string, datasets: readonly DatasetInput[], models: readonly ModelLink[]): Promise<void>
  addOutputs(runId: string, models: readonly ModelLink[]): Promise<void>
}

/** Everything that is wrong with a batch. */
export function batchProblems({ metrics, params, tags }: Batch): string[] {
  const count = metrics.length + params.length + tags.length
  return [
    ...countProblems('metrics', metrics.length, MAX_METRICS_PER_BATCH),
    ...countProblems('params', params.length, MAX_PARAMS_PER_BATCH),
    ...countProblems('tags', tags.length, MAX_TAGS_PER_BATCH),
    ...countProblems('metrics, params and tags together', count, MAX_ENTITIES_PER_BATCH),
    ...metrics.flatMap(metricProblems),
    ...params.flatMap(paramProblems),
    ...repeatedParamProblems(params),
    ...tagProblems(tags, MAX_RUN_TAG_VALUE),
  ]
}

export const paramProblems = ({ key, value }: Param): string[] => [
  ...keyProblems('param', key),
  ...lengthProblems(`The value of the param "${excerpt(key)}"`, value, MAX_PARAM_VALUE),
]

function metricProblems({ key, timestamp, step }: Metric): string[] {
  const problems = keyProblems('metric', key)
  if (!Number.isSafeInteger(timestamp) || timestamp < 0)
    problems.push(`The timestamp ${timestamp} of the metric "${key}" is not a whole number of milliseconds.`)
  if (!Number.isSafeInteger(step)) problems.push(`The step ${step} of the metric "${key}" is not a whole number.`)
  return problems
}

/** One batch may not give a param two values. */
function repeatedParamProblems(params: readonly Param[]): string[] {
  const values = new Map<string, string>()
  return params.flatMap(({ key, value }) => {
    const before = values.get(key)
    values.set(key, value)
    return before === undefined
      ? []
      : [`Duplicate parameter keys have been submitted: "${key}" is there with "${excerpt(before)}" and with "${excerpt(value)}".`]
  })
}

/** Params are written once: the same value again is fine, another one is a problem. `known` holds the values there are. */
export const changedParamProblems = (known: ReadonlyMap<string, string>, params: readonly Param[]): string[] =>
  params.flatMap(({ key, value }) => {
    const before = known.get(key)
    return before === undefined || before === value
      ? []
      : [
          `Changing param values is not allowed. Param with key='${key}' was already logged with value='${excerpt(before)}'; the new value is '${excerpt(value)}'.`,
        ]
  })

export function datasetProblems(datasets: readonly DatasetInput[]): string[] {
  return [
    ...countProblems('datasets', datasets.length, MAX_DATASETS_PER_BATCH),
    ...datasets.flatMap((dataset) => [
      ...(dataset.name === '' || dataset.digest === '' ? ['A dataset needs a name and a digest.'] : []),
      ...Object.entries(MAX_DATASET_FIELD).flatMap(([field, limit]) =>
        lengthProblems(
          `The ${field} of the dataset "${excerpt(dataset.name)}"`,
          dataset[field as keyof typeof MAX_DATASET_FIELD] ?? '',
          limit,
        ),
      ),
    ]),
  ]
}

const countProblems = (what: string, count: number, limit: number): string[] =>
  count > limit ? [`There are ${count} ${what}; a batch may hold ${limit}.`] : []
