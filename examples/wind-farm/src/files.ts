/** Files that others read while they are written: each appears as a whole or not at all. */
import { randomUUID } from 'node:crypto'
import { copyFile, mkdir, open, readdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, extname, join } from 'node:path'

/** Writes `parts` one after another, makes them last, and only then gives the file its name, replacing one of that name. */
export async function writeWhole(path: string, parts: Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  const unfinished = join(dirname(path), `.${randomUUID()}.unfinished`)
  try {
    const file = await open(unfinished, 'wx')
    try {
      for await (const part of parts) await file.writeFile(part)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(unfinished, path)
  } catch (error) {
    await rm(unfinished, { force: true })
    throw error
  }
}

/** Makes `latest` a copy of `path`. Its readers see the former file or this one, nothing in between. */
export async function makeLatest(path: string, latest: string): Promise<void> {
  const unfinished = join(dirname(latest), `.${randomUUID()}.unfinished`)
  try {
    await copyFile(path, unfinished)
    await rename(unfinished, latest)
  } catch (error) {
    await rm(unfinished, { force: true })
    throw error
  }
}

/** The same with the file `{stamp}…` at `path`, unless one of a later time lies beside it: a run that is repeated makes nothing new. */
export async function makeLatestByName(path: string, latest: string): Promise<void> {
  const ending = extname(path)
  const stamps = (await readdir(dirname(path))).filter((name) => extname(name) === ending).map((name) => basename(name, ending))
  const own = basename(path, ending)
  if (!stamps.some((stamp) => isStamp(stamp) && stamp > own)) await makeLatest(path, latest)
}

/** `20260112-093005`, in UTC: how files of one moment are named. */
export const stampOf = (time: Date): string =>
  time
    .toISOString()
    .replace(/\.\d+Z$/, '')
    .replaceAll(/[-:]/g, '')
    .replace('T', '-')

/** Whether `text` is such a name: used before it becomes part of a path. */
export const isStamp = (text: string): boolean => /^\d{8}-\d{6}$/.test(text)
