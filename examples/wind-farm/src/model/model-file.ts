/** A trained model as one file: the trees, what the filling of gaps has learned, and how well it did. One file, so that no part is ever another model's. */

import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Booster } from '@daggerboard/boost'
import type { Preparation } from '../features/preparation.ts'
import { isStamp, makeLatestByName, writeWhole } from '../files.ts'
import { UnusableData } from '../unusable-data.ts'

export interface Metrics {
  /** Root mean squared error in degrees, on the latest rows, which were not trained on. */
  readonly rmse: number
  /** That of always answering the mean of the training rows. */
  readonly baselineRmse: number
  readonly trainingRows: number
  readonly testRows: number
}

export interface Model {
  readonly booster: Booster
  readonly preparation: Preparation
  readonly metrics: Metrics
}

interface ModelDocument {
  readonly format: typeof FORMAT
  readonly metrics: Metrics
  readonly preparation: Preparation
  /** LightGBM's text format. */
  readonly model: string
}

const FORMAT = 'wind-farm model 1'
export const LATEST_MODEL = 'latest.json'

/** Writes `{stamp}.json`, and then `latest.json` when there is none of a later time. Answers the path of the former. */
export async function writeModel(folder: string, stamp: string, { booster, preparation, metrics }: Model): Promise<string> {
  if (!isStamp(stamp)) throw new UnusableData(`"${stamp}" is no name for a model.`, ['Give a time such as 20260112-093005.'])
  const document: ModelDocument = { format: FORMAT, metrics, preparation, model: booster.toText() }
  const path = join(folder, `${stamp}.json`)
  await writeWhole(path, [JSON.stringify(document)])
  await makeLatestByName(path, join(folder, LATEST_MODEL))
  return path
}

/** Throws UnusableData when the file is none of `writeModel`. */
export async function readModel(path: string): Promise<Model> {
  const text = await readFile(path, 'utf8')
  let document: ModelDocument | null = null
  try {
    document = JSON.parse(text) as ModelDocument
  } catch {
    // Said below, with what is no model.
  }
  if (document?.format !== FORMAT) throw new UnusableData(`${path} is not a model of the wind farm.`, ['Train one.'])
  return { booster: Booster.parse(document.model), preparation: document.preparation, metrics: document.metrics }
}

/** The newest model by its name; null when there is none yet. */
export async function latestModel(folder: string): Promise<string | null> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  const newest = names
    .filter((name) => name.endsWith('.json') && isStamp(name.slice(0, -'.json'.length)))
    .sort()
    .at(-1)
  return newest === undefined ? null : join(folder, newest)
}
