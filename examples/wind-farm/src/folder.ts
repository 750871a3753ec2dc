/** Where the wind farm's files lie: one folder, which the Variable WIND_FARM_FOLDER names. */

import { existsSync } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import type { TaskContext } from '@daggerboard/dag'
import { isStamp, stampOf } from './files.ts'
import { UnusableData } from './unusable-data.ts'

export const FOLDER_VARIABLE = 'WIND_FARM_FOLDER'

export interface WindFarmFolder {
  /** Fresh data: `{stamp}.csv` and `latest.csv`. */
  readonly data: string
  /** Data to train on: what was fetched as `{stamp}.csv`, and files of one's own. */
  readonly training: string
  readonly features: string
  /** `{stamp}.json` and `latest.json`. */
  readonly models: string
  /** `{stamp}.csv` and `latest.csv`. */
  readonly predictions: string
  /** An SQLite file with the table `monitoring`. */
  readonly monitoring: string
}

export function windFarmFolder(folder: string): WindFarmFolder {
  if (!isAbsolute(folder)) throw new UnusableData(`The Variable ${FOLDER_VARIABLE} is "${folder}".`, ['It must be an absolute path.'])
  return {
    data: join(folder, 'data'),
    training: join(folder, 'training'),
    features: join(folder, 'features'),
    models: join(folder, 'models'),
    predictions: join(folder, 'predictions'),
    monitoring: join(folder, 'monitoring.sqlite'),
  }
}

/** The file `name` in one of the folders. Throws UnusableData for a name that would lead out of it. */
export function fileIn(folder: string, name: string): string {
  if (!/^[\w-][\w.-]{0,199}$/.test(name))
    throw new UnusableData(`"${name}" is no name of a file in ${folder}.`, ['Use letters, digits, "-", "_" and ".", and no folders.'])
  return join(folder, name)
}

/** The same for one that must be there. Throws UnusableData also when it is not. */
export function existingFileIn(folder: string, name: string): string {
  const path = fileIn(folder, name)
  if (!existsSync(path)) throw new UnusableData(`There is no file ${path}.`, ['Put it there, or name another one.'])
  return path
}

/**
 * The name of what a task makes: the time when it began, or the next second that is free when an earlier run has begun in the same one. Every try
 * of the task gets the same name.
 */
export async function stampFor(
  { taskId, firstStartedAt, xcomPull, xcomPush }: Pick<TaskContext, 'taskId' | 'firstStartedAt' | 'xcomPull' | 'xcomPush'>,
  folder: string,
  ending: string,
): Promise<string> {
  const earlier = await xcomPull(taskId, 'stamp')
  if (typeof earlier === 'string' && isStamp(earlier)) return earlier
  let time = firstStartedAt.getTime()
  while (existsSync(join(folder, `${stampOf(new Date(time))}${ending}`))) time += 1000
  const stamp = stampOf(new Date(time))
  await xcomPush('stamp', stamp)
  return stamp
}

/** Deletes the oldest of the files `{stamp}…{ending}`, whose names are their age, until so many are left. */
export async function keepNewest(folder: string, ending: string, count: number): Promise<void> {
  const files = (await readdir(folder)).filter((name) => /^\d{8}-\d{6}/.test(name) && name.endsWith(ending)).sort()
  for (const name of files.slice(0, Math.max(0, files.length - count))) await rm(join(folder, name), { force: true })
}
