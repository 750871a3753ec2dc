/** What `gsutil` and `gcloud storage` share: cp, rsync, ls, cat and rm over files and `gs://` addresses. */

import { createHash } from 'node:crypto'
import { globSync, statSync } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { basename, join, posix, resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { globMatches } from '../../../builds/expansion.ts'
import { AppError } from '../../../core/app-error.ts'
import { filesOf } from './archive.ts'
import { CloudStorage, formatAddress, isAddress, parseAddress, type StoredFile } from './cloud-storage.ts'
import type { Command, Flags, Invocation } from './command.ts'

const storageOf = ({ endpoint, signal }: Invocation): CloudStorage => new CloudStorage(endpoint, signal)

/** The five commands below a path: `[]` for gsutil, `['storage']` for gcloud. */
export function storageCommands(path: readonly string[], recursive: Flags): Command[] {
  const many = { minimum: 2, names: 'one or more sources and a destination' }
  return [
    { path: [...path, 'cp'], positionals: many, flags: recursive, run: copy },
    {
      path: [...path, 'rsync'],
      positionals: { minimum: 2, maximum: 2, names: 'a source folder and a destination folder' },
      flags: { ...recursive, 'delete-unmatched-destination-objects': { kind: 'boolean', short: 'd' } },
      run: synchronize,
    },
    {
      path: [...path, 'ls'],
      positionals: { minimum: 0, names: 'addresses' },
      flags: { ...recursive, long: { kind: 'boolean', short: 'l' } },
      run: listAddresses,
    },
    { path: [...path, 'cat'], positionals: { minimum: 1, names: 'one or more addresses' }, flags: {}, run: print },
    { path: [...path, 'rm'], positionals: { minimum: 1, names: 'one or more addresses' }, flags: recursive, run: remove },
  ]
}

/** A file here or an object there, and what it is called below the place that was asked for. */
interface Item {
  readonly from: string
  readonly relative: string
}

async function copy(call: Invocation): Promise<number> {
  const sources = call.positionals.slice(0, -1)
  const target = call.positionals.at(-1) ?? ''
  const items: Item[] = []
  for (const source of sources) items.push(...(await expand(call, source, call.flags.boolean('recursive'))))
  if (items.length === 0) throw new AppError('not_found', `Nothing matches ${sources.join(' ')}.`)
  const intoFolder = items.length > 1 || call.flags.boolean('recursive') || target.endsWith('/') || isFolder(call, target)
  for (const { from, relative } of items) await transfer(call, from, intoFolder ? place(call, target, relative) : local(call, target))
  return 0
}

async function synchronize(call: Invocation): Promise<number> {
  const [source = '', target = ''] = call.positionals
  const recursive = call.flags.boolean('recursive')
  const [here, there] = [
    await listing(call, source, recursive),
    await listing(call, target, recursive).catch(() => new Map<string, Entry>()),
  ]
  for (const [relative, entry] of here) {
    const other = there.get(relative)
    if (other && other.size === entry.size && (await other.md5()) === (await entry.md5())) continue
    await transfer(call, entry.from, place(call, target, relative))
  }
  if (call.flags.boolean('delete-unmatched-destination-objects'))
    for (const [relative, entry] of there) {
      if (here.has(relative)) continue
      call.say(`Removing ${entry.from}`)
      await (isAddress(entry.from) ? storageOf(call).delete(parseAddress(entry.from)) : rm(entry.from))
    }
  return 0
}

async function listAddresses(call: Invocation): Promise<number> {
  const storage = storageOf(call)
  if (call.positionals.length === 0) for (const bucket of await storage.listBuckets(call.project)) call.print(`gs://${bucket}/`)
  for (const text of call.positionals) {
    const { bucket, name } = parseAddress(text)
    const show = ({ name: object, size, updated }: StoredFile) =>
      call.print(
        call.flags.boolean('long') ? `${size.padStart(12)}  ${updated ?? ''}  gs://${bucket}/${object}` : `gs://${bucket}/${object}`,
      )
    if (/[*?]/.test(name)) {
      const matching = await matchingObjects(call, bucket, name)
      if (matching.length === 0) throw new AppError('not_found', `Nothing matches ${text}.`)
      matching.forEach(show)
      continue
    }
    const delimiter = call.flags.boolean('recursive') ? undefined : '/'
    let { objects, prefixes } = await storage.list(bucket, name, delimiter)
    // A folder without its slash lists what is in it.
    if (name !== '' && !name.endsWith('/') && prefixes.includes(`${name}/`))
      ({ objects, prefixes } = await storage.list(bucket, `${name}/`, delimiter))
    else if (name !== '' && !name.endsWith('/')) objects = objects.filter((object) => object.name === name || delimiter === undefined)
    if (objects.length + prefixes.length === 0 && name !== '') throw new AppError('not_found', `Nothing matches ${text}.`)
    objects.forEach(show)
    for (const prefix of prefixes) call.print(`gs://${bucket}/${prefix}`)
  }
  return 0
}

async function print(call: Invocation): Promise<number> {
  for (const text of call.positionals)
    for (const { from } of await expand(call, text, false))
      await pipeline(await storageOf(call).open(parseAddress(from)), process.stdout, { end: false })
  return 0
}

async function remove(call: Invocation): Promise<number> {
  for (const text of call.positionals) {
    const items = await expand(call, text, call.flags.boolean('recursive'))
    if (items.length === 0) throw new AppError('not_found', `Nothing matches ${text}.`)
    for (const { from } of items) {
      call.say(`Removing ${from}...`)
      await storageOf(call).delete(parseAddress(from))
    }
  }
  return 0
}

/** What a source names: one thing, what its wildcards match, or, recursively, all below it under its own last name. */
async function expand(call: Invocation, source: string, recursive: boolean): Promise<Item[]> {
  if (!isAddress(source)) return expandLocal(call, source, recursive)
  const { bucket, name } = parseAddress(source)
  if (/[*?]/.test(name))
    return (await matchingObjects(call, bucket, name)).map((object) => ({
      from: `gs://${bucket}/${object.name}`,
      relative: posix.basename(object.name),
    }))
  if (!recursive) return [{ from: source, relative: posix.basename(name) }]
  const folder = name === '' || name.endsWith('/') ? name : `${name}/`
  const base = name === '' ? bucket : posix.basename(name)
  const { objects } = await storageOf(call).list(bucket, folder)
  const below = objects.map((object) => ({
    from: `gs://${bucket}/${object.name}`,
    relative: posix.join(base, object.name.slice(folder.length)),
  }))
  return below.length > 0 ? below : [{ from: source, relative: base }]
}

async function expandLocal(call: Invocation, source: string, recursive: boolean): Promise<Item[]> {
  const paths = /[*?[]/.test(source) ? globSync(source, { cwd: call.directory }) : [source]
  const items: Item[] = []
  for (const path of paths.map((found) => resolve(call.directory, found)).sort()) {
    const stats = statSync(path, { throwIfNoEntry: false })
    if (!stats) throw new AppError('not_found', `There is no file "${source}".`)
    if (!stats.isDirectory()) items.push({ from: path, relative: basename(path) })
    else if (!recursive) throw new AppError('invalid', `"${source}" is a folder. Give -r to copy all of it.`)
    else
      for (const file of await filesOf(path, () => false)) items.push({ from: file.path, relative: posix.join(basename(path), file.name) })
  }
  return items
}

/** `**` matches across folders, `*` within one. */
async function matchingObjects(call: Invocation, bucket: string, glob: string): Promise<StoredFile[]> {
  const { objects } = await storageOf(call).list(bucket, glob.slice(0, glob.search(/[*?]/)))
  const depth = glob.split('/').length
  return objects.filter(({ name }) => (glob.includes('**') || name.split('/').length === depth) && globMatches(glob, name))
}

interface Entry {
  readonly from: string
  readonly size: number
  md5(): Promise<string>
}

async function listing(call: Invocation, place: string, recursive: boolean): Promise<Map<string, Entry>> {
  const wanted = (relative: string) => recursive || !relative.includes('/')
  if (!isAddress(place)) {
    const files = await filesOf(resolve(call.directory, place), () => false)
    return new Map(
      files
        .filter(({ name }) => wanted(name))
        .map(({ name, path }) => [
          name,
          {
            from: path,
            size: statSync(path).size,
            md5: async () =>
              createHash('md5')
                .update(await readFile(path))
                .digest('base64'),
          },
        ]),
    )
  }
  const { bucket, name } = parseAddress(place)
  const folder = name === '' || name.endsWith('/') ? name : `${name}/`
  const { objects } = await storageOf(call).list(bucket, folder)
  return new Map(
    objects
      .map((object): [string, Entry] => [
        object.name.slice(folder.length),
        { from: `gs://${bucket}/${object.name}`, size: Number(object.size), md5: async () => object.md5Hash ?? '' },
      ])
      .filter(([relative]) => relative !== '' && wanted(relative)),
  )
}

async function transfer(call: Invocation, from: string, to: string): Promise<void> {
  const storage = storageOf(call)
  call.say(`Copying ${isAddress(from) ? from : `file://${from}`} to ${isAddress(to) ? to : `file://${to}`}`)
  if (isAddress(from) && isAddress(to)) await storage.copy(parseAddress(from), parseAddress(to))
  else if (isAddress(to)) await storage.uploadFile(from, parseAddress(to))
  else if (isAddress(from)) await storage.download(parseAddress(from), to)
  else throw new AppError('invalid', `Neither "${from}" nor "${to}" is in Cloud Storage. Use cp to copy files on this machine.`)
}

function place(call: Invocation, target: string, relative: string): string {
  if (!isAddress(target)) return join(resolve(call.directory, target), relative)
  const { bucket, name } = parseAddress(target)
  return formatAddress({ bucket, name: name === '' ? relative : `${name.replace(/\/$/, '')}/${relative}` })
}

const local = (call: Invocation, target: string): string => (isAddress(target) ? target : resolve(call.directory, target))

const isFolder = (call: Invocation, target: string): boolean =>
  isAddress(target)
    ? parseAddress(target).name === ''
    : statSync(resolve(call.directory, target), { throwIfNoEntry: false })?.isDirectory() === true
